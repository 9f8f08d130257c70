//! The effects study says what its program prints.

use vmpolicy_benches::effects::{Setting, TABLES, by_case, cases, table};

const PAGE: &str = include_str!("../../docs/effects.md");

#[test]
fn the_page_says_what_its_command_prints() {
    let setting = Setting::read("effects-array.yaml").expect("it is there");
    // The first column only: all of them take long where nothing is optimised.
    let own = by_case(&setting, &cases()[..1], 10).expect("it is sound");
    let (_, page) = PAGE.split_once("--bin effects -- array\n").expect("its table");
    let page: Vec<_> = page.lines().skip_while(|line| !line.starts_with('|')).collect();
    for (line, said) in own.lines().zip(page) {
        assert!(said.starts_with(line), "docs/effects.md says another thing than this:\n\n{own}");
    }
}

#[test]
fn each_table_has_its_command_on_the_page() {
    for name in TABLES {
        let command = format!("cargo run --release -p vmpolicy-benches --bin effects -- {name}\n");
        assert!(PAGE.contains(&command), "{command}");
    }
}

#[test]
fn there_is_no_other_table() {
    let error = table("arrays", 1).unwrap_err();
    assert_eq!(error, "arrays: no such table; there are array, load, policy, hours, provider");
}
