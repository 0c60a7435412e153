;; A component without a handler: it loads and its `answer` can be called, but as an actor it is EXPORT_MISSING.
(component
  (core module $code
    (func (export "answer") (result i32) (i32.const 42))
  )
  (core instance $live (instantiate $code))
  (func (export "answer") (result u32) (canon lift (core func $live "answer")))
)
