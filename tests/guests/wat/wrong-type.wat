;; A valid component whose `handle` takes and returns a number, not what the contract says: TYPE_MISMATCH.
(component
  (core module $code
    (func (export "handle") (param i32) (result i32) (local.get 0))
  )
  (core instance $live (instantiate $code))
  (func $handle (param "message" u32) (result u32) (canon lift (core func $live "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "airssys:wasm/handler@0.1.0" (instance $handler))
)
