//! Locators: where the guest is.
