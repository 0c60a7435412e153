;; A good actor but that its one memory starts at 1 GiB: LIMIT_EXCEEDED under the default limit of 128 MiB.
(component
  (core module $code
    (memory (export "memory") 16384)
    ;; include: handle.inc
  )
  (core instance $live (instantiate $code))
  ;; include: handler.inc
)
