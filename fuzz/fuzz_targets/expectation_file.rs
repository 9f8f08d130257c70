#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vmpolicy_core::testkit::fuzz::expectation_file(bytes));
