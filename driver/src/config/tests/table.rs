//! Tests of the table against the C driver's, and of how each kind of value is taken. `[any]`

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::sheet::{I32_MAX, I32_MIN, NUMBERS, TEXTS, WORDS};
use super::*;
use crate::config::setting::{Form, Kind, Taken};
use crate::config::table::{all, find, nearest};

#[test]
fn the_table_has_every_name_of_the_c_driver_and_no_other() {
    let wanted: BTreeSet<&str> =
        NUMBERS.iter().map(|row| row.0).chain(WORDS.iter().map(|row| row.0)).chain(TEXTS).collect();
    let known: BTreeSet<&str> = all().map(|setting| setting.name).collect();
    assert_eq!(known, wanted);
    assert_eq!(all().count(), known.len(), "a name stands twice");
}

#[test]
fn types_ranges_and_defaults_are_the_c_drivers() {
    let context = Context::default();
    for (name, form, least, most, default) in NUMBERS {
        let setting = find(name).unwrap();
        let Kind::Number { form: ours, min, max, .. } = setting.kind else { panic!("{name} is no number") };
        let wanted = match form {
            "duration" => Form::Duration,
            "size" => Form::Size,
            "unsigned" => Form::Unsigned,
            "int32" => Form::Signed32,
            _ => Form::Signed64,
        };
        assert_eq!((ours, min, max), (wanted, least, most), "{name}");
        assert_eq!(setting.shown(&context), default, "{name}");
    }
    for (name, default) in WORDS {
        assert_eq!(find(name).unwrap().shown(&context), default, "{name}");
    }
    assert_eq!(find("AERON_DRIVER_NATIVE_RESOURCE_AGENT_IDLE_STRATEGY_INIT_ARGS").unwrap().shown(&context), "1ms");
}

#[test]
fn numbers_are_clamped_to_the_nearest_bound_and_kept_at_it() {
    for (name, form, least, most, _) in NUMBERS {
        let setting = find(name).unwrap();
        let Kind::Number { read, .. } = setting.kind else { panic!() };
        // Sizes and durations are not negative, and a number outside its type is read before it is clamped.
        let range = match form {
            "int32" => I32_MIN..=I32_MAX,
            "int64" => i64::MIN.into()..=i64::MAX.into(),
            "unsigned" => 0..=u64::MAX.into(),
            _ => 0..=i64::MAX.into(),
        };
        for (given, taken) in [(least - 1, least), (least, least), (most, most), (most + 1, most)] {
            if !range.contains(&given) {
                continue;
            }
            let mut context = Context::default();
            let outcome = setting.apply(&mut context, OsStr::new(&given.to_string()));
            assert_eq!(read(&context), Some(taken), "{name}={given}");
            assert_eq!(outcome == Taken::AsGiven, given == taken, "{name}={given}: {outcome:?}");
        }
    }
}

#[test]
fn what_cannot_be_read_becomes_the_default() {
    for (name, form, ..) in NUMBERS {
        let texts: &[&str] = match form {
            "size" => &["", "x", "-1", "1x", "k", "9007199254740992k"],
            "duration" => &["", "x", "-1", "1x", "1sec"],
            "unsigned" => &["", "x"],
            "int32" => &["x", "1x", "1 ", "2147483648", "-2147483649"],
            _ => &["x", "1x"],
        };
        let setting = find(name).unwrap();
        for text in texts {
            let mut context = Context::default();
            let before = setting.shown(&context);
            let outcome = setting.apply(&mut context, OsStr::new(text));
            assert!(matches!(outcome, Taken::Instead { .. }), "{name}={text}: {outcome:?}");
            // The C driver takes an unreadable group tag for a tag of -1.
            let after = if name == "AERON_RECEIVER_GROUP_TAG" { "-1" } else { &before };
            assert_eq!(setting.shown(&context), after, "{name}={text}");
        }
    }
    for (name, default) in WORDS {
        let setting = find(name).unwrap();
        let mut context = Context::default();
        match setting.apply(&mut context, OsStr::new("nonsense")) {
            // The C driver takes any other word for false here.
            Taken::Instead { taken, .. } if name == "AERON_RECEIVER_GROUP_CONSIDERATION" => assert_eq!(taken, "false"),
            Taken::Instead { taken, .. } => assert_eq!(taken, default, "{name}"),
            Taken::Refused(reason) => assert!(reason.starts_with("is not one of "), "{name}: {reason}"),
            Taken::AsGiven => panic!("{name}"),
        }
    }
}

#[test]
fn booleans_are_read_by_how_they_begin() {
    let setting = find("AERON_REJOIN_STREAM").unwrap();
    for (text, value) in [("false", false), ("0", false), ("off", false), ("offside", false), ("1", true), ("on", true)]
    {
        let mut context = Context { rejoin_stream: !value, ..Context::default() };
        assert_eq!(setting.apply(&mut context, OsStr::new(text)), Taken::AsGiven, "{text}");
        assert_eq!(context.rejoin_stream, value, "{text}");
    }
    for text in ["", "TRUE", "no", "yes"] {
        let mut context = Context::default();
        assert!(matches!(setting.apply(&mut context, OsStr::new(text)), Taken::Instead { .. }), "{text}");
    }
}

#[test]
fn words_and_texts_fill_their_fields() {
    let context = resolve(&[
        ("AERON_DIR", "/dev/shm/mine"),
        ("GANNET_DIR_MODE", "group"),
        ("AERON_THREADING_MODE", "SHARED_NETWORK"),
        ("AERON_THREAD_NAMING", "new"),
        ("AERON_DRIVER_TERMINATION_VALIDATOR", "allow"),
        ("AERON_SHARED_IDLE_STRATEGY", "aeron_idle_strategy_backoff"),
        ("AERON_SHARED_IDLE_STRATEGY_INIT_ARGS", "1-2-3ns-4ns"),
        ("AERON_DRIVER_NATIVE_RESOURCE_AGENT_IDLE_STRATEGY", "noop"),
        ("AERON_SENDER_WILDCARD_PORT_RANGE", "20000 20100"),
        ("AERON_DRIVER_RESOLVER_NAME", "alpha"),
        ("AERON_UNTETHERED_LINGER_TIMEOUT", "7s"),
        ("AERON_RECEIVER_GROUP_TAG", "0x10"),
    ])
    .context;
    assert_eq!(context.directory, Path::new("/dev/shm/mine"));
    assert_eq!(context.sharing, gannet_transport_ipc::Sharing::Group);
    assert_eq!(context.threading_mode, ThreadingMode::SharedNetwork);
    assert_eq!(context.thread_naming, ThreadNaming::New);
    assert_eq!(context.termination_validator, TerminationValidator::Allow);
    assert_eq!(context.shared_idle_strategy.init_args.as_deref(), Some("1-2-3ns-4ns"));
    assert_eq!(
        context.native_resource_agent_idle_strategy,
        IdleStrategyConfig { name: IdleStrategyName::Noop, init_args: None },
        "the default's arguments are not another strategy's"
    );
    assert_eq!(context.network.sender_wildcard_port_range, Some(PortRange { low: 20_000, high: 20_100 }));
    assert_eq!(context.network.resolver_name.as_deref(), Some("alpha"));
    assert_eq!(context.untethered_linger_timeout_ns, Some(7_000_000_000));
    assert_eq!(context.network.receiver_group_tag, Some(16));
    assert_eq!(context.warnings, []);
}

#[test]
fn a_misspelt_name_finds_the_one_that_was_meant() {
    assert_eq!(nearest("AERON_IPC_TERM_BUFFER_LENGHT"), Some("AERON_IPC_TERM_BUFFER_LENGTH"));
    assert_eq!(nearest("AERON_THREADINGMODE"), Some("AERON_THREADING_MODE"));
    assert_eq!(nearest("AERON_HOME_SWEET_HOME"), None);
}

#[test]
fn the_document_is_what_the_table_says() {
    const BEGIN: &str =
        "<!-- from the table of settings, by GANNET_UPDATE_DOCS=1 cargo test -p gannet-driver the_document -->\n";
    const END: &str = "\n<!-- end of the table -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let document = fs::read_to_string(&path).unwrap();
    let (head, rest) = document.split_once(BEGIN).unwrap();
    let (table, tail) = rest.split_once(END).unwrap();
    let wanted = describe::markdown();
    if std::env::var_os("GANNET_UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{tail}")).unwrap();
        return;
    }
    assert!(table == wanted, "docs/configuration.md differs from the table: run this test with GANNET_UPDATE_DOCS=1");
}

#[test]
fn help_names_every_setting_with_its_default_and_range() {
    let help = describe::help();
    for setting in all() {
        assert!(help.contains(&format!("\n  {}\n", setting.name)), "{}", setting.name);
    }
    assert!(help.contains("a number of bytes (k, m, g) from 32 to 65504 [default: 1408]"));
    assert!(help.contains("/dev/shm/aeron-<user>"));
}

proptest! {
    #[test]
    fn no_text_makes_a_value_outside_its_range(index in 0..NUMBERS.len(), text in "[-+]?(0x)?[0-9]{0,24}[ a-zA-Z]{0,3}") {
        let (name, _, least, most, _) = NUMBERS[index];
        let setting = find(name).unwrap();
        let mut context = Context::default();
        setting.apply(&mut context, OsStr::new(&text));
        let Kind::Number { read, .. } = setting.kind else { panic!() };
        prop_assert!(read(&context).is_none_or(|number| (least..=most).contains(&number)), "{name}={text}");
    }

    #[test]
    fn any_value_is_taken_replaced_or_refused(index in 0_usize..140, text in "\\PC{0,20}") {
        if let Some(setting) = all().nth(index) {
            let _ = setting.apply(&mut Context::default(), OsStr::new(&text));
        }
    }
}
