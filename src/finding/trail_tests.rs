//! What the records of a trail show, and what they do not.

use super::*;
use crate::aws::window::parse_time;
use crate::evidence::coverage::LoggingChange;

fn call(source: &str, name: &str) -> ApiCall {
    ApiCall { source: source.into(), name: name.into() }
}

/// A trail of two Regions that holds these calls.
fn trail<'a>(beside: &'a Beside, calls: &[(&str, &str, Recorded)]) -> AccountTrail<'a> {
    let mut trail = AccountTrail::new(Catalog::builtin(), &BTreeSet::new(), beside);
    trail.regions.extend(["eu-west-1", "us-east-1"].map(str::to_owned));
    for (source, name, recorded) in calls {
        trail.note(&call(source, name), *recorded, ActionMap::new(Catalog::builtin()));
    }
    trail
}

fn info(action: &str) -> &'static ActionInfo {
    Catalog::builtin().get(&Action::parse(action).unwrap()).unwrap()
}

const EC2: [(&str, &str, Recorded); 2] =
    [("ec2", "DescribeInstances", Recorded::READ), ("ec2", "StopInstances", Recorded::WRITE)];

fn records(calls: &[(&str, &str, Recorded)], action: &str) -> Result<(), String> {
    let beside = Beside::default();
    let both: Vec<_> = EC2.iter().chain(calls).copied().collect();
    trail(&beside, &both).records_management(info(action))
}

/// S24: the configuration must have the kind of events in which an action was seen; another kind is none of it.
#[test]
fn an_action_that_was_seen_is_asked_for_in_its_kind() {
    let beside = Beside::default();
    let both = |recorded: u8| trail(&beside, &[("sts", "AssumeRole", Recorded(recorded))]);
    assert_eq!(both(1).kinds_of(info("sts:AssumeRole")), [Kind::Read]);
    assert_eq!(both(2).kinds_of(info("sts:AssumeRole")), [Kind::Write]);
    assert_eq!(both(3).kinds_of(info("sts:AssumeRole")), BOTH);
    assert_eq!(both(4).kinds_of(info("sts:AssumeRole")), BOTH);
    assert_eq!(both(1).kinds_of(info("ec2:StopInstances")), BOTH);
}

/// S24: a trail can leave out the events of KMS in one kind: those of the other prove nothing.
#[test]
fn events_that_trails_can_exclude_are_shown_kind_by_kind() {
    let read = ("kms", "DescribeKey", Recorded::READ);
    let write = ("kms", "CreateKey", Recorded::WRITE);
    assert!(records(&[], "kms:ListKeys").is_err());
    assert!(records(&[read], "kms:CreateAlias").is_err());
    assert!(records(&[write], "kms:ListKeys").is_err());
    assert!(records(&[read, write], "kms:ListKeys").is_ok());
    assert!(records(&[read], "kms:DescribeKey").is_ok());
}

/// S25, S25a: what a data event shows is no management event, whoever made it.
#[test]
fn a_data_event_teaches_nothing_of_management_events() {
    let seen = |recorded| {
        let beside = Beside::default();
        let trail = trail(&beside, &[EC2[0], EC2[1], ("ec2", "DescribeVolumes", recorded)]);
        (trail.has_seen(info("ec2:DescribeVolumes")), trail.records_management(info("ec2:DescribeVolumes")).is_ok())
    };
    assert_eq!(seen(Recorded::READ), (true, true));
    assert_eq!(seen(Recorded::DATA), (false, false));
    assert_eq!(seen(Recorded::OTHER), (false, true));
}

/// S24: the events of network activity and insights are no read or write management events.
#[test]
fn other_categories_show_no_kind() {
    let beside = Beside::default();
    let other = trail(&beside, &[("ec2", "DescribeInstances", Recorded::OTHER)]);
    assert!(other.records_management(info("ec2:DescribeVolumes")).is_err());
    assert!(other.shows_every_session().is_err());
}

/// S27: STS has endpoints in every Region, and is recorded where it was asked.
#[test]
fn sts_is_recorded_in_every_region() {
    let beside = Beside::default();
    let asked = BTreeSet::from(["us-east-1".to_owned()]);
    let mut trail = trail(&beside, &EC2);
    assert!(trail.records_management(info("sts:GetFederationToken")).is_ok());
    trail.asked = asked;
    assert!(trail.records_management(info("iam:GetUser")).is_ok());
    for action in ["sts:GetFederationToken", "globalaccelerator:ListAccelerators", "trustedadvisor:DescribeChecks"] {
        assert!(trail.records_management(info(action)).is_err(), "{action}");
    }
}

/// S24: a trail that was made or removed in the window leaves the time before unknown.
#[test]
fn trails_that_come_and_go_are_changes() {
    for name in CHANGES {
        assert!(records(&[("cloudtrail", name, Recorded::WRITE)], "ec2:StopInstances").is_err(), "{name}");
    }
    assert!(records(&[("cloudtrail", "StartLogging", Recorded::WRITE)], "ec2:StopInstances").is_ok());
}

/// S24: a trail that begins to record without having been stopped was off before.
#[test]
fn a_trail_that_begins_was_not_there_before() {
    let account = AccountId::parse("111122223333").unwrap();
    let began = |changes: &[(&str, bool, &str)]| {
        let mut evidence = Evidence::default();
        for (time, starts, trail) in changes {
            let time = parse_time(time).unwrap();
            let change = LoggingChange { time, starts: *starts, trail: (*trail).to_owned() };
            evidence.coverage.logging.insert((account, change));
        }
        !began_within(&evidence).is_empty()
    };
    let arn = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
    assert!(!began(&[]));
    assert!(began(&[("2026-06-01", true, "main")]));
    assert!(!began(&[("2026-06-01", false, arn), ("2026-06-02", true, "main")]));
    assert!(began(&[("2026-06-01", false, "other"), ("2026-06-02", true, "main")]));
}

#[test]
fn what_was_read_is_what_was_asked_for_of_what_is_there() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    for (asked, held, read) in [
        (&[][..], &[][..], &[][..]),
        (&["a"], &[], &["a"]),
        (&[], &["a"], &["a"]),
        (&["a", "b"], &["a"], &["a"]),
        (&["a"], &["b"], &["b"]),
    ] {
        assert_eq!(asked_of(&set(asked), &set(held)), set(read), "{asked:?} {held:?}");
    }
}

/// S24: a source that is the folder of one Region is read in that Region only, whatever was asked for.
#[test]
fn the_folder_of_one_region_is_that_region() {
    let beside = Beside { regions: BTreeSet::from(["eu-west-1".to_owned()]), ..Beside::default() };
    let account = AccountId::parse("111122223333").unwrap();
    let mut evidence = Evidence::default();
    let region = evidence.names.intern("eu-west-1");
    evidence.coverage.places.entry((account, region)).or_default();
    let window = Window::new(parse_time("2026-05-01").unwrap(), parse_time("2026-08-01").unwrap()).unwrap();
    let catalog = Catalog::builtin();
    let of = |beside: &Beside| {
        trails(&evidence, ActionMap::new(catalog), catalog, &BTreeSet::new(), beside, window)[&account]
            .is_read_everywhere()
    };
    assert!(of(&Beside::default()) && !of(&beside));
}
