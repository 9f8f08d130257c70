//! Names of things as small numbers, each of a type of its own, and the tables they index.
//!
//! A [`Policy`](crate::Policy) hands these out; an id means nothing without the policy it came from.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// What can index a [`Table`].
pub trait Id: Copy {
    /// The id of the row with this number.
    fn from_index(index: usize) -> Self;
    /// The number of the row.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub struct $name(pub(crate) u16);

        impl Id for $name {
            #[inline]
            fn from_index(index: usize) -> Self {
                Self(u16::try_from(index).expect("a policy has at most 65,535 of anything"))
            }

            #[inline]
            fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    )*};
}

ids! {
    /// A host of any array of the policy.
    HostId;
    /// An array of hosts.
    ArrayId;
    /// An indicator.
    IndicatorId;
    /// A window.
    WindowId;
    /// A job queue.
    QueueId;
    /// A rule, by its place in the order of priority.
    RuleId;
}

/// The number of a request: rises by one with each, never comes back.
///
/// To the outside a request is known by guest and number, such as `nii3-7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A column of `T`, one row for each `I`; it does not grow.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Table<I, T> {
    rows: Box<[T]>,
    #[cfg_attr(feature = "serde", serde(skip))]
    id: PhantomData<fn(I) -> I>,
}

impl<I: Id, T> Table<I, T> {
    /// A table of these rows, in this order.
    #[must_use]
    #[inline]
    pub fn new(rows: Vec<T>) -> Self {
        Self { rows: rows.into_boxed_slice(), id: PhantomData }
    }

    /// How many rows there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of this id, where the table has it.
    #[must_use]
    #[inline]
    pub fn row(&self, id: I) -> Option<&T> {
        self.rows.get(id.index())
    }

    /// All ids, in order.
    #[inline]
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        let len = u16::try_from(self.rows.len()).expect("a policy has at most 65,535 of anything");
        (0..len).map(|index| I::from_index(usize::from(index)))
    }

    /// All rows with their ids, in order.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(index, row)| (I::from_index(index), row))
    }

    /// All rows with their ids, in order, to change.
    #[inline]
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (I, &mut T)> {
        self.rows.iter_mut().enumerate().map(|(index, row)| (I::from_index(index), row))
    }

    /// All rows, in order.
    #[must_use]
    #[inline]
    pub fn rows(&self) -> &[T] {
        &self.rows
    }
}

impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, id: I) -> &T {
        &self.rows[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Table<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.index()]
    }
}

impl<I, T: fmt::Debug> fmt::Debug for Table<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows.iter()).finish()
    }
}
