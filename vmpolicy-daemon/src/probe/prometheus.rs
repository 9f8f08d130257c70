//! `prometheus`: the only sample of an instant query, asked of a Prometheus or of what answers as one does.

use super::web::Web;
use super::{Failure, Source};
use crate::http::{Method, form};
use crate::number::only_number;
use serde::Deserialize;
use serde_json::Value;
use vmpolicy_core::file::{UrlFault, WebSpec};
use vmpolicy_core::input::Absence;

/// The result of an instant query, where it is one number
/// (<https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries>).
pub struct PrometheusProbe {
    query: String,
    web: Web,
}

impl PrometheusProbe {
    /// A probe of this query, in PromQL.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(query: impl Into<String>, spec: &WebSpec) -> Result<Self, UrlFault> {
        let base = spec.url.trim_end_matches('/');
        let base = base.strip_suffix("/api/v1/query").or(base.strip_suffix("/api/v1")).unwrap_or(base);
        let url = format!("{base}/api/v1/query").parse()?;
        Ok(Self { query: query.into(), web: Web::at(spec, url) })
    }
}

impl Source for PrometheusProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let headers = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
        let body = form(&[("query", &self.query)]);
        let page = self.web.ask(Method::Post, &headers, body.as_bytes())?;
        let shown = self.web.url().shown();
        match serde_json::from_slice::<Answer>(&page.body) {
            // A query that is wrong is answered with its error, and a status that is none of success.
            Ok(answer) => value(answer)
                .map_err(|failure| Failure::new(failure.absence, format!("{shown}: {}", failure.words))),
            Err(_) if !(200..=299).contains(&page.status) => Err(page.refusal()),
            Err(_) => {
                Err(Failure::new(Absence::Unparsable, format!("{shown}: not an answer of a Prometheus")))
            }
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Value,
}

fn value(answer: Answer) -> Result<f64, Failure> {
    let fail = |absence, words: &str| Err(Failure::new(absence, words));
    if answer.status == "error" {
        let absence = match answer.error_type.as_str() {
            "timeout" | "canceled" => Absence::TimedOut,
            "unavailable" | "internal" => Absence::Unreachable,
            _ => Absence::Denied,
        };
        let words: String =
            answer.error.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
        return fail(absence, &format!("{}: {words}", answer.error_type));
    }
    let Some(data) = answer.data else { return fail(Absence::Unparsable, "an answer without data") };
    let point = match (data.kind.as_str(), &data.result) {
        ("scalar", point) => point,
        ("vector", Value::Array(samples)) => match samples.as_slice() {
            [] => return fail(Absence::Missing, "the query has no result"),
            [sample] if sample.get("histogram").is_some() => {
                return fail(Absence::Unparsable, "the result is a histogram: ask for a number of it");
            }
            [sample] => sample.get("value").unwrap_or(&Value::Null),
            many => {
                let words = format!("the query has {} results: sum them up, or pick one", many.len());
                return fail(Absence::Unparsable, &words);
            }
        },
        ("matrix", _) => return fail(Absence::Unparsable, "the result is a range: leave out its `[..]`"),
        ("string", _) => return fail(Absence::Unparsable, "the result is a text"),
        _ => return fail(Absence::Unparsable, "not the result of an instant query"),
    };
    let Some(text) = point.get(1).and_then(Value::as_str) else {
        return fail(Absence::Unparsable, "a sample without a value");
    };
    match text {
        // PromQL's way to say that there is nothing, such as a share of no requests; recordings are read so too.
        "NaN" => fail(Absence::Missing, "the result is not a number (NaN)"),
        "+Inf" | "-Inf" => fail(Absence::NotFinite, "the result is infinite"),
        text => only_number(text.as_bytes()).or_else(|absence| fail(absence, "the value is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> Result<f64, Absence> {
        let text = format!(r#"{{"status":"success","data":{data},"warnings":["x"]}}"#);
        value(serde_json::from_str(&text).unwrap()).map_err(|failure| failure.absence)
    }

    #[test]
    fn one_sample_is_a_number_and_nothing_else_is() {
        let vector = |samples: &str| read(&format!(r#"{{"resultType":"vector","result":[{samples}]}}"#));
        let sample = |value: &str| format!(r#"{{"metric":{{"a":"b"}},"value":[1435781451.781,"{value}"]}}"#);
        assert_eq!(vector(&sample("1.5")), Ok(1.5));
        assert_eq!(vector(&sample("2e+06")), Ok(2e6));
        assert_eq!(vector(""), Err(Absence::Missing));
        assert_eq!(vector(&sample("NaN")), Err(Absence::Missing));
        assert_eq!(vector(&sample("+Inf")), Err(Absence::NotFinite));
        assert_eq!(vector(&sample("one")), Err(Absence::Unparsable));
        assert_eq!(vector(&format!("{0},{0}", sample("1"))), Err(Absence::Unparsable));
        assert_eq!(vector(r#"{"metric":{},"histogram":[1,{}]}"#), Err(Absence::Unparsable));
        assert_eq!(vector("7"), Err(Absence::Unparsable));
        assert_eq!(read(r#"{"resultType":"scalar","result":[1,"-3"]}"#), Ok(-3.0));
        assert_eq!(read(r#"{"resultType":"string","result":[1,"3"]}"#), Err(Absence::Unparsable));
        assert_eq!(read(r#"{"resultType":"matrix","result":[]}"#), Err(Absence::Unparsable));
        assert_eq!(read("null"), Err(Absence::Unparsable));
    }

    #[test]
    fn errors_of_the_server_have_their_cause() {
        for (kind, absence) in [
            ("bad_data", Absence::Denied),
            ("timeout", Absence::TimedOut),
            ("unavailable", Absence::Unreachable),
        ] {
            let text = format!(r#"{{"status":"error","errorType":"{kind}","error":"no\u001b[31m"}}"#);
            let failure = value(serde_json::from_str(&text).unwrap()).unwrap_err();
            assert_eq!(failure.absence, absence);
            assert_eq!(failure.words, format!("{kind}: no [31m"));
        }
    }
}
