//! Link arguments of a Node addon; on Linux the library stays mapped once it is loaded, which our threads need.

fn main() {
    napi_build::setup();
    // Where napi-derive writes the types of what it exports; `types.mjs` makes `native.d.ts` of them.
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    println!("cargo::rustc-env=NAPI_TYPE_DEF_TMP_FOLDER={out}");
}
