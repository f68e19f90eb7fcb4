#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| leverframe_fuzz::packed::check(bytes));
