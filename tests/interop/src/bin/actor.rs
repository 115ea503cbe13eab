//! A client process for tests that kill or stop it: takes commands as lines on standard input, answers each with a line.
//!
//! `actor <official|ours> <directory>`
#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic ends the process, and the test sees it

use gannet_interop::Peer;
use gannet_interop::peer::{Counter, Event, Options, Publication, Subscription, Way};
use gannet_tests::messages::{Verifier, message};
use gannet_tests::{PATIENCE, wait_for, wait_until};
use std::io::{BufRead, stdin};
use std::path::Path;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let peer = match arguments[1].as_str() {
        "official" => Peer::Official,
        "ours" => Peer::Ours,
        other => panic!("no peer {other}"),
    };
    let options = Options { driver_timeout: Duration::from_secs(5), ..Options::default() };
    let client = peer.try_connect(Path::new(&arguments[2]), &options).unwrap();
    println!("client {}", client.client_id());
    let mut publications: Vec<Box<dyn Publication>> = Vec::new();
    let mut subscriptions: Vec<Box<dyn Subscription>> = Vec::new();
    let mut counters: Vec<Box<dyn Counter>> = Vec::new();
    for line in stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["publication", exclusive, channel, stream] => {
                let publication = client.publish(exclusive == "exclusive", channel, stream.parse().unwrap()).unwrap();
                let constants = publication.constants();
                println!("publication {} {}", constants.registration_id, constants.session_id);
                publications.push(publication);
            }
            ["subscription", channel, stream] => {
                let subscription = client.add_subscription(channel, stream.parse().unwrap()).unwrap();
                println!("subscription {}", subscription.registration_id());
                subscriptions.push(subscription);
            }
            ["counter", type_id, label] => {
                let counter = client.add_counter(type_id.parse().unwrap(), b"key", label).unwrap();
                println!("counter {}", counter.id());
                counters.push(counter);
            }
            ["offer", count, length] => {
                for number in 0..count.parse().unwrap() {
                    let bytes = message(42, number, length.parse().unwrap());
                    wait_until("the message goes", PATIENCE, || publications[0].offer(&bytes).is_ok());
                }
                println!("offered {count}");
            }
            ["receive", count, length] => {
                let mut verifier = Verifier::new(42, 0);
                let count: u64 = count.parse().unwrap();
                wait_until("the messages come", PATIENCE, || {
                    subscriptions[0].poll(Way::Assembled, 1, &mut |bytes, _| {
                        verifier.take(bytes, length.parse().unwrap());
                    });
                    verifier.next() == count
                });
                println!("received {count}");
            }
            // Holds a claim until it is told to go on, or killed.
            ["claim", length] => {
                let position = publications[0].claim(length.parse().unwrap(), &mut |claimed| {
                    claimed.fill(7);
                    println!("claimed {}", claimed.len());
                    let mut answer = String::new();
                    stdin().lines().next().unwrap().unwrap().clone_into(&mut answer);
                    answer == "commit"
                });
                println!("claim done {position:?}");
            }
            ["await-closed"] => {
                let code = wait_for("the client is closed, and its handler told why", PATIENCE, || {
                    let code = client.events().find(|event| match event {
                        Event::Error { code, .. } => Some(*code),
                        _ => None,
                    });
                    code.filter(|_| client.is_closed())
                });
                println!("closed {code}");
            }
            ["close"] => break,
            _ => panic!("no command {line}"),
        }
    }
    drop((publications, subscriptions, counters));
    client.close();
    println!("bye");
}
