//! Loading what is hostile: bombs, cut and flipped bytes, files that change.

mod bombs;
mod cache;
mod fuel;
mod helper;
mod linked;
mod malformed;
mod strict;
mod wasm;
