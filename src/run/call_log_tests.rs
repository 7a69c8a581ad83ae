//! Calls come out in order and each once, whatever the memory and the order in which they came.

use proptest::prelude::*;

use super::super::call_days::WINDOW_BYTES;
use super::*;
use crate::aws::AccountId;
use crate::cloudtrail::outcome::Outcome;
use crate::evidence::call::Call;
use crate::evidence::names::Names;
use crate::finding::call_log::CallRow;

#[derive(Clone, Debug)]
struct Made {
    caller: Caller,
    api: Api,
    seconds: i64,
    id: u128,
    agent: String,
}

fn made() -> impl Strategy<Value = Made> {
    let account = prop::sample::select(vec!["000000000001", "111122223333"]);
    (account, 0..3_u8, 0..2_u8, any::<bool>(), -3..3_i64, 0..6_u128, "[a-c\u{e9}]{0,3}").prop_map(
        |(account, party, name, is_hand_off, seconds, id, agent)| Made {
            caller: Caller {
                party_id: Box::from(party.to_string()),
                party_kind: "vendor",
                party_name: Box::default(),
                channel: "assume_role",
                role_arn: Box::default(),
                role_id: Box::default(),
            },
            api: Api {
                account_id: AccountId::parse(account).unwrap(),
                region: Box::default(),
                event_source: Box::default(),
                event_name: Box::from(name.to_string()),
                via: Box::default(),
                actions: Vec::new(),
                primary: 0,
                is_hand_off,
            },
            seconds,
            id,
            agent,
        },
    )
}

/// What is shown of the calls, day after day, and in how many pieces they lay.
fn shown<T>(runs: CallRuns, show: impl Fn(&CallRow<'_>) -> T) -> (Vec<T>, usize) {
    let (mut shown, days) = (Vec::new(), runs.by_day().unwrap());
    for day in days.days() {
        let note = |row: &CallRow<'_>| {
            shown.push(show(row));
            Ok(())
        };
        days.each(day, note).unwrap();
    }
    (shown, days.pieces())
}

/// What comes out, each as text, and in how many pieces it lay.
fn in_order(room: usize, calls: &[Made]) -> (Vec<String>, usize) {
    let runs = CallRuns::new(room);
    for one in calls {
        let mut names = Names::default();
        let call = Call {
            id: EventId(one.id),
            seconds: one.seconds,
            outcome: Outcome::Allowed,
            read_only: Some(true),
            event: Names::EMPTY,
            error: Names::EMPTY,
            network: Names::EMPTY,
            agent: names.intern(&one.agent),
            resources: Names::EMPTY,
        };
        let (caller, api) = (&one.caller, &one.api);
        let calls = Calls { caller, session_id: "s", session_name: "", api, names: &names, calls: &[call] };
        runs.take(&calls).unwrap();
    }
    shown(runs, |row| {
        assert_eq!((row.session_id, row.outcome, row.read_only), ("s", Outcome::Allowed, Some(true)));
        let api = (row.api.account_id, row.seconds, row.id, &row.api.event_name, row.api.is_hand_off);
        format!("{api:?} {} {}", row.caller.party_id, row.agent)
    })
}

proptest! {
    /// S4, S5, invariant 3: each event of an account and a second once, in order, whatever the memory and the order
    /// in which they came; and what opened a session is a call where it is one.
    #[test]
    fn order_and_memory_do_not_show(mut calls in prop::collection::vec(made(), 0..40)) {
        let (expected, _) = in_order(1 << 20, &calls);
        let keys: std::collections::BTreeMap<_, bool> = calls.iter().fold(Default::default(), |mut keys, one| {
            let known: &mut bool = keys.entry((one.api.account_id, one.seconds, one.id)).or_insert(true);
            *known &= one.api.is_hand_off;
            keys
        });
        prop_assert_eq!(expected.len(), keys.len());
        for (row, ((account, seconds, id), is_hand_off)) in expected.iter().zip(keys) {
            let begins = format!("({account:?}, {seconds}, {:?}, ", EventId(id));
            prop_assert!(row.starts_with(&begins) && row.contains(&format!(", {is_hand_off})")), "{row}");
        }
        calls.reverse();
        let (turned, pieces) = in_order(0, &calls);
        prop_assert_eq!(&turned, &expected);
        prop_assert_eq!(pieces, calls.len());
        let half = calls.len() / 2;
        calls.rotate_left(half);
        prop_assert_eq!(in_order(300, &calls).0, expected);
    }
}

/// A row longer than the part of a run that is in memory.
#[test]
fn long_rows_come_back() {
    let runs = CallRuns::new(0);
    let mut one = Made { agent: String::new(), ..made_one() };
    one.api.event_name = Box::from("n");
    let mut names = Names::default();
    let resources = "r".repeat(WINDOW_BYTES.1 * 2);
    for number in 0..3 {
        let call = Call {
            id: EventId(number),
            seconds: 0,
            outcome: Outcome::Denied,
            read_only: None,
            event: Names::EMPTY,
            error: Names::EMPTY,
            network: Names::EMPTY,
            agent: Names::EMPTY,
            resources: names.intern_whole(&resources),
        };
        let (caller, api) = (&one.caller, &one.api);
        let calls = Calls { caller, session_id: "", session_name: "", api, names: &names, calls: &[call] };
        runs.take(&calls).unwrap();
    }
    let (lengths, _) = shown(runs, |row| (row.id.0, row.resources.len()));
    assert_eq!(lengths, [0, 1, 2].map(|number| (number, resources.len())));
}

fn made_one() -> Made {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    made().new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

/// S5: an addendum is no further call, whenever it was written, and whichever came first.
#[test]
fn an_addendum_with_another_time_is_the_same_call() {
    let original = "0a1b2c3d-0000-4000-8000-000000000001";
    const A_DAY: i64 = 86_400;
    for (later, turned) in [(9, false), (9, true), (A_DAY, false), (A_DAY, true)] {
        let runs = CallRuns::new(0);
        let one = made_one();
        let mut records = [(5, ""), (later, "0a1b2c3d-0000-4000-8000-000000000002")];
        if turned {
            records.reverse();
        }
        for (seconds, own) in records {
            let mut names = Names::default();
            let event = names.intern(own);
            let none = Names::EMPTY;
            let call = Call {
                id: EventId::of(original),
                seconds,
                outcome: Outcome::Allowed,
                read_only: None,
                event,
                error: none,
                network: none,
                agent: none,
                resources: none,
            };
            let (caller, api) = (&one.caller, &one.api);
            let calls = Calls { caller, session_id: "", session_name: "", api, names: &names, calls: &[call] };
            runs.take(&calls).unwrap();
        }
        assert_eq!(shown(runs, |row| row.seconds).0, [5], "{later}");
    }
}
