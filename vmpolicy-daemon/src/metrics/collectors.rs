//! What is still to be given to the collectors of records.

use super::text::{Kind, Page};
use crate::control::Standing;
use crate::records::CollectorView;

/// A metric: its name, kind and help, and its value for a collector.
type Metric = (&'static str, Kind, &'static str, fn(&CollectorView) -> f64);

const METRICS: [Metric; 5] = [
    (
        "vmpolicy_collector_up",
        Kind::Gauge,
        "1 where the last attempt to give a collector records did not fail.",
        |view| f64::from(u8::from(view.fault.is_none())),
    ),
    (
        "vmpolicy_collector_delivered_records",
        Kind::Gauge,
        "The number of the last record that a collector has.",
        |view| view.level.delivered as f64,
    ),
    ("vmpolicy_collector_waiting_records", Kind::Gauge, "Records that wait for a collector.", |view| {
        view.level.waiting() as f64
    }),
    ("vmpolicy_collector_spool_bytes", Kind::Gauge, "What is kept on disk for a collector.", |view| {
        view.level.bytes as f64
    }),
    (
        "vmpolicy_collector_lost_records_total",
        Kind::Counter,
        "Records that a collector will never get.",
        |view| view.level.lost as f64,
    ),
];

/// Appends them, where there are collectors.
pub(super) fn write(page: &mut Page, standing: &Standing<'_>) {
    let views: Vec<CollectorView> = standing.collectors().collect();
    if views.is_empty() {
        return;
    }
    for (name, kind, help, value) in METRICS {
        page.metric(name, kind, help);
        for view in &views {
            page.sample(&[("kind", view.kind), ("collector", &view.address)], value(view));
        }
    }
}
