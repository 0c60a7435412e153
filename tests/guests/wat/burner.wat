;; Turns a loop a hundred times for each byte of the payload: what it burns is known to the unit of fuel.
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "handle")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i64 i32 i32 i32 i64) (result i32)
      (local $left i32)
      (local.set $left (i32.mul (local.get 5) (i32.const 100)))
      (block $done
        (loop $again
          (br_if $done (i32.eqz (local.get $left)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $again)))
      (i32.const 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  )
  (core instance $live (instantiate $code))
  ;; include: handler.inc
)
