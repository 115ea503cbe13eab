//! Datagrams from a foreign host: the validity test, and every frame that it lets through.
#![no_main]

use gannet_core::frame::resolution::Entries;
use gannet_core::frame::{
    DataHeader, ErrorFrame, FrameType, Nak, ResponseSetup, RttMeasurement, Setup, StatusMessage, validate,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    // Readers that look beyond the fixed part hold for any bytes, valid or not.
    let _ = StatusMessage::group_tag(datagram);
    if let Ok(text) = ErrorFrame::text(datagram) {
        assert!(text.len() <= 1023 && ErrorFrame::LENGTH + text.len() <= datagram.len());
    }
    for entry in Entries::of(datagram).flatten() {
        let mut written = vec![0; entry.length()];
        assert_eq!(entry.write(&mut written), Some(written.len()));
    }
    let frame = match validate(datagram) {
        Err(error) => Err(error.to_string()),
        // The fixed part of a frame that passed is there.
        Ok(FrameType::Data | FrameType::Pad) => Ok(DataHeader::parse(datagram).map(ToString::to_string)),
        Ok(FrameType::Nak) => Ok(Nak::parse(datagram).map(ToString::to_string)),
        Ok(FrameType::StatusMessage | FrameType::AtsStatusMessage) => {
            Ok(StatusMessage::parse(datagram).map(ToString::to_string))
        }
        Ok(FrameType::Error) => Ok(ErrorFrame::parse(datagram).map(ToString::to_string)),
        Ok(FrameType::Setup) => Ok(Setup::parse(datagram).map(ToString::to_string)),
        Ok(FrameType::RttMeasurement) => Ok(RttMeasurement::parse(datagram).map(ToString::to_string)),
        Ok(FrameType::ResponseSetup) => Ok(ResponseSetup::parse(datagram).map(ToString::to_string)),
        Ok(FrameType::Resolution) => Ok(Some(String::new())),
        Ok(other) => panic!("{other} is never received"),
    };
    assert_ne!(frame, Ok(None));
});
