//! The page's data for programs: docs/report.schema.json describes it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Clock;
use crate::cli::pair::json;
use crate::pair::results::BoardReport;
use crate::pair::watch::DirectionCounts;
use crate::pair::watch::history::{AccessPoint, History, Period, Stretch};

pub(super) fn content(
    report: &BoardReport,
    history: &History,
    max_loss: f64,
    name: Option<&str>,
    clock: &Clock,
) -> Value {
    let length = seconds(history.length());
    let stretches = history.stretches(max_loss);
    let codes: Vec<Value> = history
        .problems()
        .map(|(code, found)| {
            json!({
                "code": code.code(),
                "times": found.times,
                "first": seconds(found.first),
                "last": seconds(found.last),
            })
        })
        .collect();
    let periods = history.periods().iter().enumerate();
    let periods: Vec<Value> = periods
        .filter(|(_, period)| period.rounds > 0)
        .map(|(index, period)| figures(period, &[("at", json!(index as f64 * length))]))
        .collect();
    json!({
        "survey": {
            "started": clock.start.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "seconds": seconds(history.elapsed()),
            "max_loss": max_loss,
            "total": figures(history.total(), &[]),
            "codes": codes,
            "stretches": stretches.iter().map(|one| stretch(one, length)).collect::<Vec<_>>(),
            "access_points": history.access_points().iter().map(access_point).collect::<Vec<_>>(),
            "period": length,
            "periods": periods,
        },
        "boards": [json::object(report, name)],
    })
}

fn access_point(point: &AccessPoint) -> Value {
    let bssid = point
        .bssid
        .map(|bssid| bssid.map(|byte| format!("{byte:02x}")).join(":"));
    figures(
        &point.sum,
        &[
            ("bssid", json!(bssid)),
            ("channel", json!(point.channel)),
            ("others", json!(point.is_rest)),
        ],
    )
}

fn stretch(stretch: &Stretch, length: f64) -> Value {
    let code = stretch
        .sum
        .code()
        .map(crate::pair::diagnosis::Diagnosis::code);
    figures(
        &stretch.sum,
        &[
            ("from", json!(stretch.periods.start as f64 * length)),
            ("to", json!(stretch.periods.end as f64 * length)),
            ("code", json!(code)),
        ],
    )
}

/// What rounds saw, and more.
fn figures(period: &Period, more: &[(&str, Value)]) -> Value {
    let counts = |way: DirectionCounts| json!({ "sent": way.sent, "received": way.received });
    let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let places: Vec<u32> = (0..u16::BITS)
        .filter(|place| period.access_points & (1 << place) != 0)
        .collect();
    let mut out: Map<String, Value> = more
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let own = json!({
        "rounds": period.rounds,
        "pc_to_board": counts(period.down),
        "board_to_pc": counts(period.up),
        "echo": counts(period.echo),
        "rtt_ms": period.rtt().map(ms),
        "rtt_max_ms": period.rtt_max.map(ms),
        "rssi": period.rssi(),
        "rssi_min": period.rssi_min,
        "access_points": places,
    });
    if let Value::Object(own) = own {
        out.extend(own);
    }
    Value::Object(out)
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}
