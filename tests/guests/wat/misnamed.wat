;; A component whose export is nearly a handler: it starts, and messages are EXPORT_MISSING, which names what it has.
(component
  (core module $code
    (func (export "handle"))
  )
  (core instance $live (instantiate $code))
  (func $handle (canon lift (core func $live "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "airssys:wasm/handler@0.2.0" (instance $handler))
)
