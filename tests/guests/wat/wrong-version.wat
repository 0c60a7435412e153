;; A good actor but for imports of which one has a version that is not ours, one an unknown function, and one is nobody's.
(component
  (import "wasi:clocks/wall-clock@0.3.0" (instance (export "now" (func (result u64)))))
  (import "wasi:random/random@0.2.0" (instance (export "get-random-u46" (func (result u64)))))
  (import "wasi:logging/loging" (instance (export "log" (func))))
  (core module $code
    (memory (export "memory") 1)
    ;; include: handle.inc
  )
  (core instance $live (instantiate $code))
  ;; include: handler.inc
)
