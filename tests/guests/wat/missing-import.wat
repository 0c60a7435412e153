;; A good actor but for an import that nobody implements: IMPORT_MISSING, which names it.
(component
  (import "acme:tools/db@1.0.0" (instance
    (export "query" (func (param "key" string) (result string)))
  ))
  (core module $code
    (memory (export "memory") 1)
    ;; include: handle.inc
  )
  (core instance $live (instantiate $code))
  ;; include: handler.inc
)
