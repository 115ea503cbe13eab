//! Names that are known and that the driver does not use itself: fault injection for channels over UDP, clients'
//! settings, and what only the C driver can do. `[any]`

use super::settings;

settings! { DEBUG:
    text() "AERON_UDP_CHANNEL_OUTGOING_INTERCEPTORS" Debug = network.faults.outgoing_interceptors,
        "Interceptors of outgoing datagrams, between commas: loss, fixed-loss, multi-gap-loss.";
    text() "AERON_UDP_CHANNEL_INCOMING_INTERCEPTORS" Debug = network.faults.incoming_interceptors,
        "Interceptors of incoming datagrams, between commas: loss, fixed-loss, multi-gap-loss.";
    text() "AERON_UDP_CHANNEL_TRANSPORT_BINDINGS_LOSS_ARGS" Debug = network.faults.loss_args,
        "Arguments of loss.";
    text() "AERON_UDP_CHANNEL_TRANSPORT_BINDINGS_FIXED_LOSS_ARGS" Debug = network.faults.fixed_loss_args,
        "Arguments of fixed-loss.";
    text() "AERON_UDP_CHANNEL_TRANSPORT_BINDINGS_MULTI_GAP_LOSS_ARGS" Debug = network.faults.multi_gap_loss_args,
        "Arguments of multi-gap-loss.";
    text() "AERON_DEBUG_SEND_DATA_LOSS_RATE" Debug = network.faults.send_data_loss_rate,
        "Share of data frames that are lost when sent, from 0 to 1.";
    text() "AERON_DEBUG_SEND_DATA_LOSS_SEED" Debug = network.faults.send_data_loss_seed,
        "Seed of that loss.";
    text() "AERON_DEBUG_SEND_CONTROL_LOSS_RATE" Debug = network.faults.send_control_loss_rate,
        "Share of control frames that are lost when sent, from 0 to 1.";
    text() "AERON_DEBUG_SEND_CONTROL_LOSS_SEED" Debug = network.faults.send_control_loss_seed,
        "Seed of that loss.";
    text() "AERON_DEBUG_RECEIVE_DATA_LOSS_RATE" Debug = network.faults.receive_data_loss_rate,
        "Share of data frames that are lost when received, from 0 to 1.";
    text() "AERON_DEBUG_RECEIVE_DATA_LOSS_SEED" Debug = network.faults.receive_data_loss_seed,
        "Seed of that loss.";
    text() "AERON_DEBUG_RECEIVE_CONTROL_LOSS_RATE" Debug = network.faults.receive_control_loss_rate,
        "Share of control frames that are lost when received, from 0 to 1.";
    text() "AERON_DEBUG_RECEIVE_CONTROL_LOSS_SEED" Debug = network.faults.receive_control_loss_seed,
        "Seed of that loss.";
}

settings! { CLIENT:
    foreign() "AERON_CLIENT_RESOURCE_LINGER_DURATION" Client,
        "Time that a client keeps the log of a closed resource mapped.";
    foreign() "AERON_CLIENT_IDLE_SLEEP_DURATION" Client,
        "Time that a client's conductor sleeps between duty cycles.";
    foreign() "AERON_CLIENT_PRE_TOUCH_MAPPED_MEMORY" Client,
        "Whether a client touches every page of a log when it maps it; wants `sparse=false`, or a file system \
         with room for the whole log.";
    foreign() "AERON_CLIENT_NAME" Client,
        "The client's name in its heartbeat counter's label.";
}

settings! { UNSUPPORTED:
    foreign() "AERON_DRIVER_DYNAMIC_LIBRARIES" Unsupported,
        "C libraries that the C driver loads.";
    foreign() "AERON_AGENT_ON_START_FUNCTION" Unsupported,
        "C function that the C driver calls when an agent starts.";
    foreign() "AERON_EVENT_LOG" Unsupported,
        "Events that the C driver's logging agent writes.";
    foreign() "AERON_EVENT_LOG_DISABLE" Unsupported,
        "Events that it leaves out.";
    foreign() "AERON_EVENT_LOG_FILENAME" Unsupported,
        "Where it writes them.";
    foreign() "AERON_EVENT_LOG_FILE_MAX_LENGTH" Unsupported,
        "How long its file may grow.";
}
