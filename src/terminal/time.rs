//! Times for display: times of day, durations and ages.

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{RoundMode, SignedDuration, Span, SpanRound, Timestamp, Unit, tz::TimeZone};

pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// `11:11` in the given zone, with the date if it is not the day of `now`.
pub fn hour_and_minute(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let shape = if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    at.strftime(shape).to_string()
}

/// `8s`, `1m 22s`, `2h 5m`, `3d 4h`: at most two units, truncated. A negative duration (clock skew) is `0s`.
pub fn duration(span: SignedDuration) -> String {
    let smallest = match span.as_secs() {
        ..3600 => Unit::Second,
        3600..86_400 => Unit::Minute,
        _ => Unit::Hour,
    };
    let units = SpanPrinter::new().designator(Designator::Compact).spacing(Spacing::BetweenUnits);
    units.span_to_string(&cut(span, smallest, Unit::Day))
}

/// In whole units; never negative.
fn cut(span: SignedDuration, smallest: Unit, largest: Unit) -> Span {
    let round = SpanRound::new().smallest(smallest).largest(largest).mode(RoundMode::Trunc).days_are_24_hours();
    let seconds = Span::new().try_seconds(span.as_secs().max(0)).unwrap_or_default();
    seconds.round(round).unwrap_or(seconds)
}

pub fn elapsed(then: Timestamp, now: Timestamp) -> String {
    duration(now.duration_since(then))
}

/// `just now`, `14 minutes ago`, `3 days ago`. A future time (clock skew) is `just now`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let span = now.duration_since(then);
    let unit = match span.as_secs() {
        ..10 => return "just now".to_owned(),
        10..60 => Unit::Second,
        60..3600 => Unit::Minute,
        3600..86_400 => Unit::Hour,
        _ => Unit::Day,
    };
    let words = SpanPrinter::new().designator(Designator::Verbose).spacing(Spacing::BetweenUnitsAndDesignators);
    words.span_to_string(&-cut(span, unit, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (82, "1m 22s"),
            (3599, "59m 59s"),
            (3600, "1h"),
            (7530, "2h 5m"),
            (86_399, "23h 59m"),
            (86_400, "1d"),
            (273_600, "3d 4h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn ages_count_one_unit() {
        let now: Timestamp = "2026-11-23T10:41:07Z".parse().unwrap();
        let before = |seconds| ago(now - SignedDuration::from_secs(seconds), now);
        assert_eq!(before(-30), "just now");
        assert_eq!(before(9), "just now");
        assert_eq!(before(59), "59 seconds ago");
        assert_eq!(before(60), "1 minute ago");
        assert_eq!(before(14 * 60 + 59), "14 minutes ago");
        assert_eq!(before(2 * 3600), "2 hours ago");
        assert_eq!(before(3 * 86_400), "3 days ago");
    }

    #[test]
    fn times_of_day_are_local_and_another_day_is_named() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let late: Timestamp = "2026-11-23T22:58:00Z".parse().unwrap();
        assert_eq!(time_of_day(late, &zone), "23:58:00");
        assert_eq!(hour_and_minute(late, late, &zone), "23:58");
        let next: Timestamp = "2026-11-23T23:28:00Z".parse().unwrap();
        assert_eq!(hour_and_minute(next, late, &zone), "2026-11-24 00:28");
    }
}
