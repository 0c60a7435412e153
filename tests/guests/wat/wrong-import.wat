;; A good actor but for an import of ours with another type: TYPE_MISMATCH, which names it.
(component
  (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result string)))))
  (core module $code
    (memory (export "memory") 1)
    ;; include: handle.inc
  )
  (core instance $live (instantiate $code))
  ;; include: handler.inc
)
