//! A connection that is kept between polls.

use super::Failure;
use vmpolicy_core::input::Absence;

/// A connection, while it is good.
pub(super) struct Kept<C>(Option<C>);

impl<C> Default for Kept<C> {
    fn default() -> Self {
        Self(None)
    }
}

impl<C> Kept<C> {
    /// Asks over the connection that is kept, or else over a new one.
    ///
    /// A kept one that has gone bad in the meantime, which such an absence shows, says nothing of the server: it was
    /// started again, or closed an idle client. So a new one is tried, once. After a failure the connection is dropped:
    /// nobody knows what is still on its way.
    pub(super) fn ask<T>(
        &mut self,
        gone_bad: &[Absence],
        connect: impl FnOnce() -> Result<C, Failure>,
        mut ask: impl FnMut(&mut C) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let asked = self.0.take().and_then(|mut connection| match ask(&mut connection) {
            Err(failure) if gone_bad.contains(&failure.absence) => None,
            asked => Some((asked, connection)),
        });
        let (asked, connection) = match asked {
            Some(asked) => asked,
            None => {
                let mut connection = connect()?;
                (ask(&mut connection), connection)
            }
        };
        if asked.is_ok() {
            self.0 = Some(connection);
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// What comes of an ask, how many connections have been made, and whether one is kept.
    #[test]
    fn one_new_connection_where_a_kept_one_has_gone_bad_and_none_after_a_failure() {
        let made = Cell::new(0);
        let mut kept = Kept::default();
        let mut ask = |says: &[Result<u32, Absence>]| {
            let mut says = says.iter();
            let connect = || {
                made.set(made.get() + 1);
                Ok(())
            };
            let asked = kept.ask(&[Absence::Unreachable], connect, |()| {
                says.next().unwrap().map_err(|absence| Failure::new(absence, ""))
            });
            assert!(says.next().is_none(), "asked too seldom");
            (asked.map_err(|failure| failure.absence), made.get())
        };
        let (gone, no) = (Err(Absence::Unreachable), Err(Absence::Denied));
        assert_eq!(ask(&[Ok(1)]), (Ok(1), 1));
        assert_eq!(ask(&[Ok(2)]), (Ok(2), 1), "the same");
        assert_eq!(ask(&[gone, Ok(3)]), (Ok(3), 2), "another within the same poll");
        assert_eq!(ask(&[gone, gone]), (gone, 3), "not a third");
        assert_eq!(ask(&[Ok(4)]), (Ok(4), 4), "the bad one is not kept");
        assert_eq!(ask(&[no]), (no, 4), "it is no sign of age");
        assert_eq!(ask(&[gone]), (gone, 5), "a new one that is bad is the server's fault");
    }
}
