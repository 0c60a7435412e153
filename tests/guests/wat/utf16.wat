;; Its texts are passed as UTF-16; the failures that it answers have texts that are not.
(component
  ;; include: encoded.inc
  ;; include: handler-types.inc
  (func $handle (param "message" $message) (result (result (option (list u8)) (error $failure)))
    (canon lift (core func $live "handle")
      (memory (core memory $live "memory")) (realloc (core func $live "realloc")) string-encoding=utf16))
  ;; include: handler-named.inc
)
