;; A good actor but that its core start function never ends: it must be stopped while it is instantiated.
(component
  (core module $code
    (memory (export "memory") 1)
    (func $start (loop $again (br $again)))
    (start $start)
    ;; include: handle.inc
  )
  (core instance $live (instantiate $code))
  ;; include: handler.inc
)
