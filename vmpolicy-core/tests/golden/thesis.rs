//! The four policies of the thesis (3.4.2 to 3.4.5) on small traces.

use crate::golden;
use crate::transcript::{Show, Transcript};
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::input::Setup;
use vmpolicy_core::leaf::window::{Hours, Weekdays};
use vmpolicy_core::policy::thesis::{self, Bands, Jobs, WorkingHours};
use vmpolicy_core::policy::{Action, AtMost, ClassForm, PolicyFile, Tour};
use vmpolicy_core::testkit::sketch::EuropeanZones;
use vmpolicy_core::testkit::stage::{Answer, Stage};
use vmpolicy_core::time::{Span, Wall};

const RING: [&str; 5] = ["mln1", "mln2", "mln3", "mln4", "mln5"];
/// Listing 3.8: 50, 3, 1, 20.
const BANDS: Bands = Bands { high: 50.0, high_tarry: 3, low: 1.0, low_tarry: 20 };

fn built(mut file: PolicyFile) -> Arc<Policy> {
    // As the scripts went round and round (listing 4.1), sixteen times an hour at most.
    file.moves.tour = Some(Tour::KeepGoing.into());
    file.moves.at_most = Some(AtMost { count: 16, per: Span::from_hours(1) }.into());
    file.build(&EuropeanZones).expect("a sound policy").into()
}

/// A counter that grows by what is told, in turn, and then by the last for good.
fn growing(by: &'static [f64]) -> impl FnMut() -> f64 {
    let (mut total, mut next) = (1_000.0, 0);
    move || {
        total += by[next.min(by.len() - 1)];
        next += 1;
        total
    }
}

fn counter(policy: &Arc<Policy>, by: &'static [f64]) -> Stage {
    let mut growing = growing(by);
    Stage::new(policy, move |_, _, _| Ok(growing()))
}

#[test]
fn threshold_aware_is_listing_4_1() {
    let policy = built(thesis::threshold_aware("cluster", &RING, thesis::slow_queries(), 50.0, 3));
    let mut stage = counter(&policy, &[80.0]).starts(Wall::from_secs(1_241_613_863 - 180));
    let mut transcript = Transcript::new(
        "nii1, policy 1 (threshold-aware), constantly overloaded: thesis, listing 4.1.\n\
         Settling 45 s, a baseline, and three samples 60 s apart: a request each 225 s, round five hosts.\n",
        "nii1",
        Show::Samples,
    );
    transcript.run(&mut stage, Span::from_secs(180 + 6 * 225));
    golden("threshold_aware", &transcript.document());
}

#[test]
fn base_aware_is_listing_4_3() {
    let policy = built(thesis::base_aware("cluster", &RING[..4], "base", thesis::slow_queries(), BANDS));
    let grows = &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 76.0, 20.0, 60.0, 70.0, 90.0, 0.0];
    // 17:59:57 in Oslo, a minute before the listing's first line.
    let mut stage = counter(&policy, grows).starts(Wall::from_secs(1_242_230_397));
    let mut transcript = Transcript::new(
        "nii3, policy 2 (base-aware): thesis, listing 4.3.\n\
         Low counts 1 to 6 on the value 0; on 76 the count is 1 and low is 0. Then a move, and after\n\
         twenty idle samples the base. The first reading is a baseline: it counts for neither.\n",
        "nii3",
        Show::Samples,
    );
    transcript.run(&mut stage, Span::from_mins(36));
    golden("base_aware", &transcript.document());
}

fn nii5() -> Arc<Policy> {
    let hours = WorkingHours {
        days: Weekdays::parse("Mon-Fri").expect("days"),
        hours: Hours::parse("09:00-16:00").expect("hours"),
        zone: "Europe/Oslo".to_owned(),
    };
    built(thesis::schedule_aware("cluster", &RING, "mln6", thesis::slow_queries(), BANDS, hours))
}

#[test]
fn schedule_aware_over_a_day() {
    // Busy for half an hour at ten, idle otherwise; Wednesday, 6 May 2009, from six in the morning in Oslo.
    let start = Wall::from_secs(1_241_582_400);
    let busy_from = start.plus(Span::from_hours(4));
    let mut total = 0.0;
    let mut stage = Stage::new(&nii5(), move |_, now, _| {
        let busy = now.wall >= busy_from && now.wall < busy_from.plus(Span::from_mins(30));
        total += if busy { 80.0 } else { 0.0 };
        Ok(total)
    })
    .provider(|_| Answer::Moves(Span::from_secs(8)))
    .starts(start);
    let mut transcript = Transcript::new(
        "nii5, policy 3 (schedule-aware), on a working day: thesis, figure 4.6.\n\
         Nothing outside working hours but the move to the base; busy from 10:00 to 10:30.\n",
        "nii5",
        Show::Events,
    );
    transcript.run(&mut stage, Span::from_hours(14));
    golden("schedule_aware_day", &transcript.document());
}

#[test]
fn schedule_aware_over_the_weekends_of_clock_changes() {
    let mut transcript = Transcript::new(
        "nii5, policy 3 (schedule-aware), over the weekends on which the clocks change.\n\
         Rest at 16:00 on Friday, wake at 9:00 on Monday, on the clock of the wall: 64 hours in between in spring,\n\
         66 in autumn. The service is always busy.\n",
        "nii5",
        Show::Events,
    );
    // From a quarter to four on Friday to ten past nine on Monday.
    for (heading, friday_secs, rest_hours) in [
        ("Spring: 27 to 30 March 2009", 1_238_165_100, 64),
        ("Autumn: 23 to 26 October 2009", 1_256_305_500, 66),
    ] {
        let mut stage = counter(&nii5(), &[80.0]).starts(Wall::from_secs(friday_secs));
        transcript.heading(heading);
        transcript.run(&mut stage, Span::from_mins(15 + 60 * rest_hours + 10));
    }
    golden("schedule_aware_clock_changes", &transcript.document());
}

#[test]
fn site_aware_is_listing_4_5() {
    let jobs =
        Jobs { queue: "jobs".to_owned(), every: Span::from_mins(2), big: "grade a".to_owned(), at_least: 2 };
    let mut file = thesis::site_aware(("oslo", &["mln1"]), ("amazon", &["m1-large"]), jobs);
    file.queues[0].classes.push(ClassForm { name: "grade b".to_owned().into(), takes: None });
    file.moves.confirm_within = Some(Span::from_hours(1).into());
    let policy = built(file);
    let mut batches =
        vec![vec![0, 2], vec![1, 1], vec![3, 1], vec![2, 0], vec![0, 2], vec![1, 0]].into_iter();
    let setup = Setup { at: policy.host_named("mln1"), ..Setup::default() };
    let mut back = [574, 208].into_iter();
    let mut stage = Stage::with_setup(&policy, setup, |_, _, _| Ok(0.0))
        .jobs(Span::from_secs(71), move |_| batches.next().unwrap_or(vec![0, 0]))
        .provider(move |request| {
            // As long as they took then: out 22:04, back 9:34 and 3:28.
            let takes = if request.action == Action::MoveToHome { back.next().unwrap_or(208) } else { 1_324 };
            Answer::Moves(Span::from_secs(takes))
        })
        .starts(Wall::from_secs(1_242_584_629));
    let mut transcript = Transcript::new(
        "nii4, policy 4 (site-aware): thesis, listing 4.5.\n\
         Two jobs of grade a or more are worth the way out (1324 s); a batch without them is worth the way\n\
         back (574 s). After a move the batch that was claimed before it is worked off first.\n",
        "nii4",
        Show::Samples,
    );
    transcript.run(&mut stage, Span::from_mins(52));
    golden("site_aware", &transcript.document());
}
