//! When two engines are the same: their saved states, with every time told from now, and without what only
//! counts on (request numbers, the clocks themselves).
//!
//! A serde serializer that writes bytes to compare, knowing under which name a number stands.

use serde::Serialize;
use serde::ser;
use std::fmt::Display;
use vmpolicy_core::Policy;
use vmpolicy_core::time::Now;

/// No rule of the policies at hand has a longer tarry.
const TARRY_MAX: u32 = 3;

/// A window's edge beyond this comes after all else has run out.
const FAR_MS: i64 = 300_000;

/// The bytes that say which state it is. The engine's own time has to be the caller's (no restart with
/// another clock).
pub(crate) fn identity(saved: &impl Serialize, now: Now, policy: &Policy, settling: bool) -> Vec<u8> {
    let moves = policy.moves();
    let every = policy.indicators().iter().map(|(_, indicator)| indicator.every.millis()).max().unwrap_or(0);
    let mut writer = Writer {
        bytes: Vec::with_capacity(512),
        key: "",
        now,
        settling,
        every_ms: millis(every),
        dwell_ms: millis(moves.dwell.millis()),
        budget_ms: millis(moves.at_most.per.millis()),
    };
    saved.serialize(&mut writer).expect("states hold nothing that can't be written");
    writer.bytes
}

fn millis(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

struct Writer {
    bytes: Vec<u8>,
    key: &'static str,
    now: Now,
    settling: bool,
    every_ms: i64,
    dwell_ms: i64,
    budget_ms: i64,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

impl ser::Error for Failed {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

impl Writer {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether nothing under this name tells states apart.
    fn is_left_out(&self, key: &str) -> bool {
        match key {
            "version" | "policy" | "clock" | "sequence" | "id" | "setup" => true,
            // The source of a request is the present place; a window's view is good from now.
            "from" => true,
            // Worked out anew in each step.
            "retry_at" => true,
            // Worked out anew when the guest has settled.
            "due" => self.settling,
            _ => false,
        }
    }

    /// A number, told from now where it is a time.
    fn number(&self, value: i64) -> i64 {
        let t = self.now.mono.0;
        match self.key {
            // Only that they are still to come matters.
            "ranking_until" | "barred_until" | "down_until" | "drain_until" | "pause_until" | "claim_due" => {
                value.saturating_sub(t).max(0)
            }
            // One interval late, or two polls missed, is as good as more.
            "due" => value.saturating_sub(t).max(-self.every_ms),
            "polled" => value.saturating_sub(t).max(-2 * self.every_ms),
            "moved_at" => value.saturating_sub(t).max(-self.dwell_ms),
            "until" if value == i64::MAX => value,
            // An edge far off is far off.
            "until" => value.saturating_sub(self.now.wall.0).min(FAR_MS),
            "asked" | "settle_until" | "confirm_by" | "locate_due" | "counter" | "clear_run" | "hold"
            | "budget" => value.saturating_sub(t),
            _ => value,
        }
    }
}

macro_rules! numbers {
    ($($name:ident: $type:ty,)*) => {$(
        fn $name(self, value: $type) -> Result<(), Failed> {
            self.put(&value.to_le_bytes())
        }
    )*};
}

impl ser::Serializer for &mut Writer {
    type Ok = ();
    type Error = Failed;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_u8: u8, serialize_u16: u16,
    }

    fn serialize_u32(self, value: u32) -> Result<(), Failed> {
        // More samples than the longest tarry are as good as that many; so are two missing where none may be.
        let value = match self.key {
            "counter" | "clear_run" => value.min(TARRY_MAX),
            "missing" => value.min(1),
            _ => value,
        };
        self.put(&value.to_le_bytes())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Failed> {
        // The number of the last request that has ended; of which there is one.
        if self.key == "last" { Ok(()) } else { self.put(&value.to_le_bytes()) }
    }

    fn serialize_i64(self, value: i64) -> Result<(), Failed> {
        if self.key == "budget" && self.now.mono.0.saturating_sub(value) >= self.budget_ms {
            return Ok(());
        }
        self.put(&self.number(value).to_le_bytes())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Failed> {
        self.put(&value.to_bits().to_le_bytes())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Failed> {
        self.put(&value.to_bits().to_le_bytes())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Failed> {
        self.put(&[value.into()])
    }

    fn serialize_char(self, value: char) -> Result<(), Failed> {
        self.put(&u32::from(value).to_le_bytes())
    }

    fn serialize_str(self, value: &str) -> Result<(), Failed> {
        self.put(value.as_bytes())?;
        self.put(&[0])
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Failed> {
        self.put(value)
    }

    fn serialize_none(self) -> Result<(), Failed> {
        self.put(b"-")
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Failed> {
        self.put(b"+")?;
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Failed> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Failed> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Failed> {
        self.put(&index.to_le_bytes())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        self.put(&index.to_le_bytes())?;
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Failed> {
        if self.key != "budget" {
            self.put(&len.unwrap_or(0).to_le_bytes())?;
        }
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Failed> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Failed> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Failed> {
        self.put(&index.to_le_bytes())?;
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Failed> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Failed> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Failed> {
        self.put(&index.to_le_bytes())?;
        Ok(self)
    }
}

macro_rules! elements {
    ($($trait:ident: $name:ident,)*) => {$(
        impl ser::$trait for &mut Writer {
            type Ok = ();
            type Error = Failed;

            fn $name<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Failed> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Failed> {
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

impl ser::SerializeMap for &mut Writer {
    type Ok = ();
    type Error = Failed;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Failed> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Failed> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Failed> {
        Ok(())
    }
}

macro_rules! fields {
    ($($trait:ident,)*) => {$(
        impl ser::$trait for &mut Writer {
            type Ok = ();
            type Error = Failed;

            fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Failed> {
                if self.is_left_out(key) {
                    return Ok(());
                }
                let outer = std::mem::replace(&mut self.key, key);
                value.serialize(&mut **self)?;
                self.key = outer;
                Ok(())
            }

            fn end(self) -> Result<(), Failed> {
                Ok(())
            }
        }
    )*};
}

fields! { SerializeStruct, SerializeStructVariant, }
