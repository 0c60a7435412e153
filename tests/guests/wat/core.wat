;; A core module, not a component: load answers CORE_MODULE.
(module
  (func (export "handle"))
)
