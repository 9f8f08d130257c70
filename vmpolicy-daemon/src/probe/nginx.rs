//! `nginx`: a number of the page that `stub_status` makes.

use super::web::Web;
use super::{Failure, Source};
use crate::number::only_number;
use vmpolicy_core::file::{NginxField, UrlFault, WebSpec};
use vmpolicy_core::input::Absence;

/// One number of `stub_status` (<https://nginx.org/en/docs/http/ngx_http_stub_status_module.html>).
pub struct NginxProbe {
    field: NginxField,
    web: Web,
}

impl NginxProbe {
    /// A probe of this number.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(field: NginxField, spec: &WebSpec) -> Result<Self, UrlFault> {
        Ok(Self { field, web: Web::new(spec)? })
    }
}

impl Source for NginxProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let page = self.web.get()?;
        value(&page, self.field).map_err(|absence| {
            Failure::new(absence, format!("{}: not a page of stub_status", self.web.url().shown()))
        })
    }
}

/// The page has four lines; a server's own build may add words, but not change the order.
fn value(page: &[u8], field: NginxField) -> Result<f64, Absence> {
    let mut words = page.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut after = |label: &[u8]| words.find(|word| *word == label).map(|_| ()).ok_or(Absence::Unparsable);
    after(b"Active")?;
    after(b"connections:")?;
    let skipped = match field {
        NginxField::Active => 0,
        NginxField::Accepts | NginxField::Handled | NginxField::Requests => {
            after(b"requests")?;
            match field {
                NginxField::Accepts => 0,
                NginxField::Handled => 1,
                _ => 2,
            }
        }
        NginxField::Reading => {
            after(b"Reading:")?;
            0
        }
        NginxField::Writing => {
            after(b"Writing:")?;
            0
        }
        NginxField::Waiting => {
            after(b"Waiting:")?;
            0
        }
    };
    match words.nth(skipped) {
        Some(word) => only_number(word),
        None => Err(Absence::Unparsable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_of_the_page_and_none_of_others() {
        let page =
            b"Active connections: 291 \nserver accepts handled requests\n 16630948 16630947 31070465 \n\
            Reading: 6 Writing: 179 Waiting: 106 \n";
        let read = NginxField::ALL.map(|field| value(page, field));
        let expected = [291.0, 16_630_948.0, 16_630_947.0, 31_070_465.0, 6.0, 179.0, 106.0];
        assert_eq!(read, expected.map(Ok));
        for page in
            [&b""[..], b"<html>Welcome to nginx!", b"Active connections:", b"Active connections: many"]
        {
            assert!(NginxField::ALL.iter().all(|field| value(page, *field).is_err()));
        }
        assert_eq!(value(&page[..30], NginxField::Waiting), Err(Absence::Unparsable));
    }
}
