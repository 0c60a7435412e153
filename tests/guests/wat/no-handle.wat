;; A component whose handler lacks `handle`: EXPORT_MISSING, which names the function that is nearly it.
(component
  (core module $code
    (func (export "handel"))
  )
  (core instance $live (instantiate $code))
  (func $handle (canon lift (core func $live "handel")))
  (instance $handler (export "handel" (func $handle)))
  (export "airssys:wasm/handler@0.1.0" (instance $handler))
)
