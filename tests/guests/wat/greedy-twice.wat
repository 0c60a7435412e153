;; A good actor but that it has two memories of 80 MiB: each is within the default limit of 128 MiB, the total
;; is not: LIMIT_EXCEEDED.
(component
  (core module $code
    (memory (export "memory") 1280)
    ;; include: handle.inc
  )
  (core instance (instantiate $code))
  (core instance $live (instantiate $code))
  ;; include: handler.inc
)
