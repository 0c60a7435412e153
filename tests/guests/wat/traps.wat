;; Dies in every way that core WebAssembly and the canonical ABI know, one for each first letter of a message. `a` is well
;; behaved. What is in its memory, its table and its globals is zero before the first message, or its answer is `dirty`.
(component
  (import "airssys:wasm/messaging@0.1.0" (instance $messaging
    (export "self-id" (func (result string)))))
  (import "wasi:io/poll@0.2.6" (instance $poll (export "pollable" (type (sub resource)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock
    (alias outer 1 $pollable (type $polled))
    (export "pollable" (type $polling (eq $polled)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $polling))))))

  ;; What the host functions are lowered with: their memory and their allocator come before the code that calls them.
  (core module $ground
    (memory (export "memory") 1)
    ;; Where the next piece of what is passed in goes; what lies below is the code's own.
    (global $top (export "top") (mut i32) (i32.const 4096))
    ;; What the allocator does at the next call: 0 allocates.
    (global $mode (export "mode") (mut i32) (i32.const 0))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
      (if (i32.eq (global.get $mode) (i32.const 1)) (then (loop $again (br $again))))
      (if (i32.eq (global.get $mode) (i32.const 2)) (then (return (i32.const 0xfffffff0))))
      (if (i32.eq (global.get $mode) (i32.const 3)) (then unreachable))
      (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.get $top)
      (global.set $top (i32.add (global.get $top) (local.get $new))))
    (func (export "end") (param i32) (loop $again (br $again)))
  )
  (core instance $base (instantiate $ground))
  (type $endless (resource (rep i32) (dtor (core func $base "end"))))
  (type $thing (resource (rep i32)))
  (core func $self-id (canon lower (func $messaging "self-id")
    (memory (core memory $base "memory")) (realloc (core func $base "realloc"))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core func $new-endless (canon resource.new $endless))
  (core func $drop-endless (canon resource.drop $endless))

  (core module $code
    (import "base" "memory" (memory 1))
    (import "base" "top" (global $top (mut i32)))
    (import "base" "mode" (global $mode (mut i32)))
    (import "host" "self-id" (func $self-id (param i32)))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (import "host" "new-endless" (func $new-endless (param i32) (result i32)))
    (import "host" "drop-endless" (func $drop-endless (param i32)))
    (type $void (func))
    (type $number (func (param i64)))
    (table $kinds 64 funcref)
    (table $growing 1 funcref)
    (elem (table $kinds) (i32.const 0) func
      $a $b $c $d $e $f $g $h $i $j $k $l $m $n $o $p $q $r $s $t $u $v $w $x $y $z $A $B $C $D $E $F)
    (global $zero (mut i32) (i32.const 0))
    (global $canary (mut i64) (i64.const 0))
    ;; Where the result lies that `handle` returns; address 0 holds zeros, and those read as ok(none).
    (global $answer (mut i32) (i32.const 0))
    (func $call (param $kind i32) (call_indirect $kinds (type $void) (local.get $kind)))
    ;; Writes its marks in memory, table and global; whether one was there before.
    (func $marked (result i32)
      (i32.or (i32.or
          (i32.ne (i32.load (i32.const 2048)) (i32.const 0))
          (i32.eqz (ref.is_null (table.get $growing (i32.const 0)))))
        (i64.ne (global.get $canary) (i64.const 0)))
      (i32.store (i32.const 2048) (i32.const 0x5ec4e7))
      (table.set $growing (i32.const 0) (ref.func $b))
      (global.set $canary (i64.const 0x5ec4e7)))
    (func $deep (param $left i32) (result i32)
      (i32.add (i32.const 1) (call $deep (i32.sub (local.get $left) (i32.const 1)))))
    (func $one (result i32) (i32.add (i32.const 1) (call $other)))
    (func $other (result i32) (i32.add (i32.const 1) (call $one)))
    ;; ok(some(list)) at 512, with this list.
    (func $list (param $at i32) (param $length i32)
      (i32.store (i32.const 516) (i32.const 1))
      (i32.store (i32.const 520) (local.get $at))
      (i32.store (i32.const 524) (local.get $length))
      (global.set $answer (i32.const 512)))
    ;; a: nothing. b-e: unreachable; memory, table, and an empty place of it.
    (func $a)
    (func $b unreachable)
    (func $c (drop (i32.load (i32.const 0x7ffffffc))))
    (func $d (call $call (i32.const 1000)))
    (func $e (call $call (i32.const 63)))
    ;; f-i: signature; division by zero; overflow; conversion of what is no number.
    (func $f (call_indirect $kinds (type $number) (i64.const 0) (i32.const 0)))
    (func $g (drop (i32.div_u (i32.const 1) (global.get $zero))))
    (func $h (drop (i32.div_s (i32.const 0x80000000) (i32.sub (global.get $zero) (i32.const 1)))))
    (func $i (drop (i32.trunc_f32_s (f32.div (f32.const 0) (f32.convert_i32_s (global.get $zero))))))
    ;; j-l: recursion, direct, mutual, by way of the table.
    (func $j (drop (call $deep (i32.const -1))))
    (func $k (drop (call $one)))
    (func $l (call $call (i32.const 11)) (drop (i32.div_u (i32.const 1) (i32.const 1))))
    ;; m, n: growth of memory and table until it is refused; n also far beyond all numbers.
    (func $m
      (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      unreachable)
    (func $n
      (if (i32.ne (table.grow $growing (ref.null func) (i32.const 1000000000)) (i32.const -1)) (then (return)))
      unreachable)
    ;; o, p: handles without end, the guest's own and the host's.
    (func $o (loop $again (drop (call $new (i32.const 1))) (br $again)))
    (func $p (loop $again (drop (call $subscribe (i64.const 1000000000))) (br $again)))
    ;; q-s: a host function told to write outside, to an odd address; an endless loop.
    (func $q (call $self-id (i32.const 0xfffffff8)))
    (func $r (call $self-id (i32.const 3)))
    (func $s (loop $again (br $again)))
    ;; t: calls of the host without end.
    (func $t (loop $again (global.set $top (i32.const 4096)) (call $self-id (i32.const 1024)) (br $again)))
    ;; u-w: a result outside, at an odd address, of no case.
    (func $u (global.set $answer (i32.const 0xfffffff0)))
    (func $v (global.set $answer (i32.const 513)))
    (func $w (i32.store (i32.const 512) (i32.const 7)) (global.set $answer (i32.const 512)))
    ;; x: a reply that wraps. y: a failure whose code is not UTF-8. z: a reply that begins inside and ends outside.
    (func $x (call $list (i32.const 0xfffffff0) (i32.const 0xffffffff)))
    (func $y
      (i32.store (i32.const 512) (i32.const 1))
      (i32.store (i32.const 516) (i32.const 1024))
      (i32.store (i32.const 520) (i32.const 2))
      (i32.store (i32.const 524) (i32.const 1024))
      (i32.store (i32.const 528) (i32.const 0))
      (i32.store16 (i32.const 1024) (i32.const 0xbfed))
      (global.set $answer (i32.const 512)))
    (func $z (call $list (i32.const 65530) (i32.const 65536)))
    ;; A-C: what the allocator does when the next message comes: nothing for ever, an address outside, a trap.
    (func $A (global.set $mode (i32.const 1)))
    (func $B (global.set $mode (i32.const 2)))
    (func $C (global.set $mode (i32.const 3)))
    ;; D: drops what is not there. E: an endless destructor. F: fills memory beyond its end.
    (func $D (call $drop (i32.const 12345)))
    (func $E (call $drop-endless (call $new-endless (i32.const 1))))
    (func $F (memory.fill (i32.const 65000) (i32.const 1) (i32.const 65536)))
    (func (export "handle")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i64 i32 i32 i32 i64) (result i32)
      (local $letter i32)
      (local.set $letter (i32.load8_u (local.get 4)))
      (global.set $top (i32.const 4096))
      (global.set $answer (i32.const 0))
      (if (call $marked) (then
        (i32.store (i32.const 1024) (i32.const 0x74726964))
        (i32.store8 (i32.const 1028) (i32.const 0x79))
        (call $list (i32.const 1024) (i32.const 5))))
      ;; `a` to `z` are 0 to 25, `A` and what follows 26 and on.
      (call $call (if (result i32) (i32.ge_u (local.get $letter) (i32.const 97))
        (then (i32.sub (local.get $letter) (i32.const 97)))
        (else (i32.sub (local.get $letter) (i32.const 39)))))
      (global.get $answer))
  )
  (core instance $made (instantiate $code
    (with "base" (instance $base))
    (with "host" (instance
      (export "self-id" (func $self-id))
      (export "subscribe" (func $subscribe))
      (export "new" (func $new))
      (export "drop" (func $drop))
      (export "new-endless" (func $new-endless))
      (export "drop-endless" (func $drop-endless))))))
  (alias core export $made "handle" (core func $handled))
  (alias core export $base "memory" (core memory $memory))
  (alias core export $base "realloc" (core func $realloc))
  (core instance $live
    (export "handle" (func $handled))
    (export "memory" (memory $memory))
    (export "realloc" (func $realloc)))
  ;; include: handler.inc
)
