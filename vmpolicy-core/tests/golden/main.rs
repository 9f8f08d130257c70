//! Golden documents: what the four policies of the thesis decide on small traces, how a request lives, and
//! one of each event. They are meant to be read; a change of behaviour shows as a change of a document.
#![cfg(feature = "testkit")]

mod events;
mod requests;
mod thesis;
mod transcript;

/// Compares a document with the one on file.
fn golden(name: &str, document: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, document);
    });
}
