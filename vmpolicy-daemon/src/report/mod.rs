//! Pages that people look at: one HTML file with figures on one shared time axis, tables and its own data; readable
//! without a network.
//!
//! Whoever has runs to show fills a [`Page`] through a [`Builder`]; [`html`] makes the document and [`write`](write()) puts
//! it in place. `docs/report.md` says what a reader sees.

mod build;
mod html;
mod log;
mod model;
mod number;
mod panels;
mod svg;
mod tables;
mod thin;
mod words;
mod write;
mod zone;

pub use build::{Builder, VariantBuilder};
pub use html::html;
pub use log::GuestLog;
pub use model::{
    Band, Bars, Better, Cell, Column, Cost, Fact, Figure, HostRow, Indicator, Lane, Lanes, Line, Mark,
    Measure, Meter, Page, Panel, Points, Provenance, Range, Stack, Stay, StayState, Table, Threshold, Unit,
    Variant, ZoneTable,
};
pub use number::{Drawn, Offset};
pub use write::write;
