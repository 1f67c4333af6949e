//! Settings of the cluster.

mod support;

use ha_jenkins::Event;
use support::{Redis, await_event, await_snapshot, join};

const PATH: &str = "users/alice_1/config.xml";

#[test]
fn a_setting_is_stored_by_who_knows_the_version_before_and_told_to_all() {
    let redis = Redis::start();
    let (a, b) = (join(&redis, "a"), join(&redis, "b"));
    await_snapshot(&b);
    assert_eq!(a.setting(PATH), Ok(None));
    assert_eq!(a.store_setting(PATH, 0, 1, "one", "Alice\n", Some(b"\0first")), Ok(1));
    let heard = await_event(&b, |event| match event {
        Event::Announcement { topic, subject, number, .. } => Some((topic, subject, number)),
        _ => None,
    });
    assert_eq!(heard, ("setting".to_owned(), PATH.to_owned(), 1));
    let (kept, text) = b.setting(PATH).unwrap().unwrap();
    assert_eq!((kept.version, kept.deleted, text.as_slice()), (1, false, b"\0first".as_slice()));
    assert_eq!(
        (kept.author.as_str(), kept.controller_id.as_str(), kept.digest.as_str()),
        ("Alice", "a", "one")
    );
    assert!(kept.changed_ms > 0);

    assert_eq!(b.store_setting(PATH, 0, 1, "two", "", Some(b"second")), Ok(-1), "made from none");
    assert_eq!(b.store_setting(PATH, 1, 2, "two", "", Some(b"second")), Ok(2));
    assert_eq!(a.store_setting(PATH, 1, 2, "three", "", Some(b"third")), Ok(-2), "made from the first");
    assert_eq!(a.setting(PATH).unwrap().unwrap().1, b"second");
    assert_eq!(a.store_setting(PATH, 2, 3, "-", "", None), Ok(3));
    assert_eq!(
        b.settings().unwrap().iter().map(|kept| (kept.version, kept.deleted)).collect::<Vec<_>>(),
        [(3, true)]
    );
    for (path, base, version, digest) in
        [("", 3, 4, "d"), ("a\nb", 0, 1, "d"), (PATH, 3, 3, "d"), (PATH, -1, 1, "d"), (PATH, 3, 4, "")]
    {
        assert!(a.store_setting(path, base, version, digest, "", Some(b"")).is_err(), "{path:?} {version}");
    }
}

#[test]
fn what_redis_has_lost_is_put_back_with_its_version() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    a.store_setting(PATH, 0, 1, "one", "", Some(b"first")).unwrap();
    let mut wire = redis.inside();
    ::redis::cmd("DEL").arg("{haj:test}:settings").exec(&mut wire).unwrap();
    assert_eq!(a.store_setting(PATH, 1, 2, "two", "", Some(b"second")), Ok(0), "there is none");
    assert_eq!(a.store_setting(PATH, 0, 2, "two", "", Some(b"second")), Ok(2));
    assert_eq!(a.setting(PATH).unwrap().unwrap().0.version, 2);
}

#[test]
fn a_setting_that_no_controller_sealed_is_refused() {
    let redis = Redis::start();
    let a = join(&redis, "a");
    a.store_setting(PATH, 0, 1, "one", "", Some(b"first")).unwrap();
    a.store_setting("other.xml", 0, 1, "one", "", Some(b"other")).unwrap();
    let mut wire = redis.inside();
    let other: Vec<u8> =
        ::redis::cmd("HGET").arg("{haj:test}:settings-text").arg("other.xml").query(&mut wire).unwrap();
    ::redis::cmd("HSET").arg("{haj:test}:settings-text").arg(PATH).arg(other).exec(&mut wire).unwrap();
    assert!(a.setting(PATH).unwrap_err().to_string().contains("seal"));
    assert!(a.setting("other.xml").is_ok());
}
