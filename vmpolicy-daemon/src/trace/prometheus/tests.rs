use super::*;
use answer::{Answer, Point};
use vmpolicy_core::time::Span;

fn range(start: i64, end: i64, step: u64) -> Range {
    Range {
        query: "up".to_owned(),
        start: Wall::from_secs(start),
        end: Wall::from_secs(end),
        step: Span::from_secs(step),
        label: None,
    }
}

fn matrix(json: &str) -> Matrix {
    let answer =
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":{json}}},"infos":["x"]}}"#);
    serde_json::from_str::<Answer>(&answer).unwrap().data.unwrap().result
}

/// The recording that these parts make together.
fn whole(range: &Range, parts: &[(Steps<u64>, &str)], pick: Pick<'_>) -> Result<Traces, TraceError> {
    let mut drafts = Drafts::new();
    for (part, json) in parts {
        take(matrix(json), range, part, &mut drafts)?;
    }
    finish(drafts, range, pick, Notes::default())
}

#[test]
fn a_long_range_is_asked_for_in_parts_that_hold_each_step_once() {
    for (seconds, step) in [(0, 60), (59, 60), (60, 60), (659_940, 60), (660_000, 60), (86_400 * 365, 15)] {
        let range = range(1_000, 1_000 + seconds, step);
        let parts = range.parts().unwrap();
        let steps: Vec<u64> = parts.iter().cloned().flatten().collect();
        let expected: Vec<u64> = (0..=seconds.unsigned_abs() / step).collect();
        assert_eq!(steps, expected);
        assert!(parts.iter().all(|part| part.end - part.start <= STEPS_AT_ONCE));
        assert!(range.at(expected.len() as u64 - 1) <= range.end);
    }
    assert_eq!(range(0, 659_940, 60).parts().unwrap().len(), 1);
    assert_eq!(range(0, 660_000, 60).parts().unwrap().len(), 2);
}

#[test]
fn a_range_that_is_none_is_refused() {
    assert!(matches!(range(0, 60, 0).parts(), Err(QueryError::NoStep)));
    assert!(matches!(range(60, 0, 1).parts(), Err(QueryError::Backwards { .. })));
    assert!(matches!(range(0, 1 << 40, 1).parts(), Err(QueryError::TooLong { .. })));
}

#[test]
fn gaps_are_missing_and_parts_are_joined() {
    let range = range(0, 600, 60);
    let parts = [
        (0..5, r#"[{"metric":{"b":"2","__name__":"up","a":"1"},"values":[[60,"1"],[240,"NaN"]]}]"#),
        (
            5..11,
            r#"[{"metric":{"__name__":"up","a":"1","b":"2"},"values":[[360,"-Inf"],[420.000,"2.5e3"]]},
            {"metric":{"__name__":"up","a":"0"},"values":[[600,"7"]]}]"#,
        ),
    ];
    let traces = whole(&range, &parts, Pick::All).unwrap();
    let names: Vec<_> = traces.series.iter().map(|series| series.name.as_deref().unwrap()).collect();
    assert_eq!(names, [r#"up{a="0"}"#, r#"up{a="1",b="2"}"#]);
    let rows: Vec<_> = traces.series[1].trace.iter().map(|row| (row.at.0 / 60_000, row.value)).collect();
    let gap = Err(Absence::Missing);
    let expected = [
        (1, Ok(1.0)),
        (2, gap),
        (3, gap),
        (4, gap),
        (5, gap),
        (6, Err(Absence::NotFinite)),
        (7, Ok(2_500.0)),
    ];
    assert_eq!(rows, expected);
    let notes: Vec<_> = traces.notes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(notes.join("\n"), @"
    1 row has a value that is not finite: unknown at that time (`1970-01-01T00:06:00Z`)
    4 steps have no result: unknown at that time (the first: `1970-01-01T00:02:00Z`)
    ");
    let one = whole(&range, &parts, Pick::One(r#"up{a="0"}"#)).unwrap();
    assert_eq!(one.series, traces.series[..1]);
    let error = whole(&range, &parts, Pick::One(r#"up{a="3"}"#)).unwrap_err();
    assert!(matches!(error, TraceError::NoSuchSeries { near: Some(_), .. }), "{error}");
}

#[test]
fn a_label_can_name_the_guests() {
    let json = r#"[{"metric":{"host":"web1","job":"a"},"values":[[0,"1"]]},
        {"metric":{"host":"web2","job":"b"},"values":[[0,"1"]]}]"#;
    let named = |label: &str| {
        let range = Range { label: Some(label.to_owned()), ..range(0, 0, 1) };
        let traces = whole(&range, &[(0..1, json)], Pick::All).map_err(|error| error.to_string())?;
        Ok::<_, String>(traces.series.into_iter().map(|series| series.name.unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(named("host").unwrap(), ["web1", "web2"]);
    assert_eq!(named("zone").unwrap_err(), r#"`{host="web1",job="a"}` has no label `zone`"#);
    let json = json.replace("web2", "web1");
    let range = Range { label: Some("host".to_owned()), ..range(0, 0, 1) };
    let error = whole(&range, &[(0..1, &json)], Pick::All).unwrap_err().to_string();
    assert!(error.starts_with("there are two series whose label `host` is `web1`"), "{error}");
}

#[test]
fn a_result_without_labels_is_the_guest_itself() {
    let traces = whole(&range(0, 0, 1), &[(0..1, r#"[{"metric":{},"values":[[0,"1"]]}]"#)], Pick::All);
    assert_eq!(traces.unwrap().series[0].name, None);
    assert!(matches!(
        whole(&range(0, 0, 1), &[(0..1, "[]")], Pick::All),
        Err(TraceError::Prometheus(QueryError::Nothing { .. }))
    ));
}

#[test]
fn an_answer_to_another_question_is_no_answer() {
    let range = range(0, 600, 60);
    for values in [r#"[[61,"1"]]"#, r#"[[-60,"1"]]"#, r#"[[600,"1"]]"#, r#"[[60,"1"],[60,"1"]]"#] {
        let json = format!(r#"[{{"metric":{{}},"values":{values}}}]"#);
        let error = whole(&range, &[(0..5, &json)], Pick::All).unwrap_err();
        assert!(matches!(error, TraceError::Prometheus(QueryError::NotAsked(_))), "{values}: {error}");
    }
    let json = r#"[{"metric":{"__name__":"h"},"histograms":[[0,{"count":"1"}]]}]"#;
    let error = whole(&range, &[(0..5, json)], Pick::All).unwrap_err();
    assert!(matches!(error, TraceError::Prometheus(QueryError::Histograms(_))), "{error}");
}

#[test]
fn a_value_is_a_time_and_a_number_as_text() {
    let point = |json: &str| serde_json::from_str::<Point>(json);
    assert_eq!(point(r#"[1241613860.781,"76"]"#).unwrap(), Point(Wall(1_241_613_860_781), 76.0));
    assert_eq!(point(r#"[0,"+Inf"]"#).unwrap(), Point(Wall(0), f64::INFINITY));
    for wrong in ["[]", "[0]", "[0,1]", r#"["0","1"]"#, r#"[0,"1",2]"#, r#"[0,"one"]"#, r#"[1e300,"1"]"#] {
        assert!(point(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn series_are_written_as_promql_has_them() {
    let shown = |json: &str| serde_json::from_str::<Labels>(json).unwrap().to_string();
    assert_eq!(shown("{}"), "{}");
    assert_eq!(shown(r#"{"__name__":"up"}"#), "up");
    assert_eq!(shown(r#"{"b":"q\"\\","a":"ø"}"#), r#"{a="ø",b="q\"\\"}"#);
}
