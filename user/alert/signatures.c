/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/signatures.h"

#define FIREWALL " The hooks are before the node's own firewall, which may have dropped it."

#define LOOK_AT_SERVER "Find the process that answers. If it belongs there, add the rule; if not, isolate the node " \
    "and stop it."
#define LOOK_AT_CLIENT "Find out what on the node opened this. If it is wanted, add the rule; if not, treat the node as " \
    "suspect."
#define LOOK_AT_KNOCKER "Ask the owner of the initiator; add a rule only if the service is wanted."

/* The severity of a row in facts/severity.h. */
#define OF(concern) QPW_CONCERN_SEVERITY_##concern

/* The signatures, in the order of the enum. */
static const struct qpw_signature signatures[QPW_SIG_COUNT] = {
    [QPW_SIG_NONE] = {0, OF(NONE), QPW_REPEAT_NEVER, false, "none", "", "", ""},

    [QPW_SIG_IN_ATTEMPTED] = {1000101, OF(IN_ATTEMPTED), QPW_REPEAT_INTERVAL, false, "inbound-attempted",
        "qportwatch: inbound attempt on an unlisted port, no answer seen",
        "{initiator} tried {service} of {responder} and no answer was seen{traffic}. {policy-says}" FIREWALL " {allow}",
        LOOK_AT_KNOCKER},
    [QPW_SIG_IN_REFUSED] = {1000102, OF(IN_REFUSED), QPW_REPEAT_INTERVAL, false, "inbound-refused",
        "qportwatch: inbound attempt on an unlisted port, refused",
        "{initiator} tried {service} of {responder} and was refused{traffic}. {policy-says} {allow}", LOOK_AT_KNOCKER},
    [QPW_SIG_IN_ANSWERED] = {1000103, OF(IN_ANSWERED), QPW_REPEAT_INTERVAL, false, "inbound-answered",
        "qportwatch: unlisted inbound port answered",
        "{responder} answered {initiator} on {service}{elsewhere}{process}{traffic}. {policy-says}{program} {allow}", LOOK_AT_SERVER},
    [QPW_SIG_IN_DATA] = {1000104, OF(IN_DATA), QPW_REPEAT_INTERVAL, false, "inbound-data",
        "qportwatch: unlisted inbound port is in use",
        "{responder} served {initiator} on {service}{elsewhere}{process}{traffic}. {policy-says}{program} {allow}", LOOK_AT_SERVER},

    [QPW_SIG_OUT_ATTEMPTED] = {1000201, OF(OUT_ATTEMPTED), QPW_REPEAT_INTERVAL, false, "outbound-attempted",
        "qportwatch: outbound attempt to an unlisted port, no answer seen",
        "{initiator} tried {service} of {responder}{process} and no answer was seen{traffic}. {policy-says}{program} {allow}",
        LOOK_AT_CLIENT},
    [QPW_SIG_OUT_REFUSED] = {1000202, OF(OUT_REFUSED), QPW_REPEAT_INTERVAL, false, "outbound-refused",
        "qportwatch: outbound attempt to an unlisted port, refused",
        "{initiator} tried {service} of {responder}{process} and was refused{traffic}. {policy-says}{program} {allow}",
        LOOK_AT_CLIENT},
    [QPW_SIG_OUT_ANSWERED] = {1000203, OF(OUT_ANSWERED), QPW_REPEAT_INTERVAL, false, "outbound-answered",
        "qportwatch: outbound connection to an unlisted port, answered",
        "{initiator} reached {service} of {responder}{process}{traffic}. {policy-says}{program} {allow}", LOOK_AT_CLIENT},
    [QPW_SIG_OUT_DATA] = {1000204, OF(OUT_DATA), QPW_REPEAT_INTERVAL, false, "outbound-data",
        "qportwatch: unlisted outbound port is in use",
        "{initiator} used {service} of {responder}{process}{traffic}. {policy-says}{program} {allow}",
        LOOK_AT_CLIENT},
    [QPW_SIG_OUT_ANSWERED_NEW] = {1000205, OF(OUT_ANSWERED_NEW), QPW_REPEAT_INTERVAL, false, "outbound-answered-new",
        "qportwatch: outbound connection to an unlisted port, answered, by a program not seen before",
        "{initiator} reached {service} of {responder}{process}{traffic}. {policy-says}{program} {allow}", LOOK_AT_CLIENT},
    [QPW_SIG_OUT_DATA_NEW] = {1000206, OF(OUT_DATA_NEW), QPW_REPEAT_INTERVAL, false, "outbound-data-new",
        "qportwatch: unlisted outbound port is in use by a program not seen before",
        "{initiator} used {service} of {responder}{process}{traffic}. {policy-says}{program} {allow}", LOOK_AT_CLIENT},

    [QPW_SIG_PROTOCOL_SEEN] = {1000301, OF(PROTOCOL_ONE_WAY), QPW_REPEAT_INTERVAL, false, "protocol",
        "qportwatch: unlisted protocol, one way",
        "{initiator} sent {service} to {responder}{process} and no answer was seen{traffic}. {policy-says}" FIREWALL " {allow}",
        "Tunnels and routing protocols do not belong on a storage node unless somebody set them up; ask who did."},
    [QPW_SIG_PROTOCOL_BOTH] = {1000302, OF(PROTOCOL_BOTH), QPW_REPEAT_INTERVAL, false, "protocol-both",
        "qportwatch: unlisted protocol, both ways",
        "{initiator} and {responder} exchanged {service}{process}{traffic}. {policy-says}{program} {allow}",
        "A tunnel carries anything past a table of ports. Find out who set it up; isolate the node if nobody did."},
    [QPW_SIG_ETHERTYPE] = {1000303, OF(ETHERTYPE), QPW_REPEAT_INTERVAL, false, "ethertype",
        "qportwatch: unlisted EtherType",
        "{initiator} sent {service} frames, which are not IP, to {responder}{process}{traffic}. {policy-says} "
        "{allow}",
        "Find the sender on the switch. RoCE, FCoE and PPPoE carry data that no port table describes."},

    [QPW_SIG_WEAK_ANSWERED] = {1000401, OF(WEAK_ANSWERED), QPW_REPEAT_INTERVAL, false, "weak-answered",
        "qportwatch: answered in a weak range without its control connection",
        "{responder} answered {initiator} on {service}{process}{traffic}. Rule {rule} of {policy} covers the port, but is "
        "a wide range that needs a live connection on its parent rule, and there was none.{program} {allow}",
        LOOK_AT_SERVER},
    [QPW_SIG_IMPLIED] = {1000402, OF(IMPLIED), QPW_REPEAT_DAY, false, "implied",
        "qportwatch: companion of a listed service, itself not listed",
        "{initiator} used {service} of {responder}{process}{traffic}. {Policy} does not list it; it matches {rule}, a "
        "well-known companion of a listed service. {allow}",
        "Usual for the service. Add the rule to list it, or write `{implied-off}` to treat it as unexpected."},
    [QPW_SIG_IMPLIED_UNKNOWN] = {1000413, OF(IMPLIED_UNKNOWN), QPW_REPEAT_INTERVAL, false, "implied-owner-unknown",
        "qportwatch: companion of a listed service, whose owner is not known",
        "{responder} answered {initiator} on {service}{process}{traffic}. {policy-says} {allow}",
        "Find out which process held the port. A second record follows once the owner is known."},
    [QPW_SIG_UNDECIDED_BOTH] = {1000403, OF(UNDECIDED_BOTH), QPW_REPEAT_INTERVAL, false, "undecided-both",
        "qportwatch: payload both ways, direction unknown",
        "{initiator} and {responder} exchanged payload over {protocol}{traffic}. Which side opened it is unknown "
        "({reason}), so no rule could be applied. {ports}",
        "Look at both ports. A connection older than the attachment whose socket is gone ends like this; a new one "
        "should not."},
    [QPW_SIG_NO_HANDSHAKE] = {1000405, OF(NO_HANDSHAKE), QPW_REPEAT_INTERVAL, false, "no-handshake",
        "qportwatch: TCP payload both ways without a handshake",
        "{initiator} and {responder} exchanged TCP segments with payload{traffic}. No handshake was seen ({reason}), so no "
        "rule could be applied. {ports}",
        "Usual for a connection older than the attachment. Otherwise a program with raw sockets sends data in segments "
        "that belong to no connection (SYN, FIN or RST with payload): find it on the node."},
    [QPW_SIG_INFERRED_BOTH] = {1000406, OF(INFERRED_BOTH), QPW_REPEAT_INTERVAL, false, "inferred-both",
        "qportwatch: exchange with payload both ways that is only consistent with a rule",
        "{initiator} and {responder} exchanged payload over {service}{process}{traffic}. Which side opened it was not seen "
        "({reason}). It is consistent with rule {rule} of {policy}, and equally with a service on the other port. "
        "{ports}",
        "Check which of the two ports a process listens on. An unlisted service looks like this to clients that choose "
        "a listed source port."},
    [QPW_SIG_JUST_ATTACHED] = {1000407, OF(JUST_ATTACHED), QPW_REPEAT_DAY, false, "just-attached",
        "qportwatch: exchange seen soon after attaching, who asked first is not known",
        "{initiator} sent first, as far as seen, over {service} to {responder}{process}{traffic}; it may have been asked "
        "before the attachment. {ports}",
        "Usual in the first minutes after attaching. If it persists, check both ports."},
    [QPW_SIG_QUESTION_LOST] = {1000408, OF(QUESTION_LOST), QPW_REPEAT_INTERVAL, false, "question-lost",
        "qportwatch: who asked first is not known while a flood fills the memory of questions",
        "{initiator} sent first, as far as seen, over {service}{traffic}. Too many questions from outside came within the "
        "timeout to tell whether it answered one of them. Exchanges left undecided: {count}.",
        "Look for the flood: many initiators of datagrams in the same minutes. Until the sending processes are known, "
        "treat what the node sent meanwhile as answers from unlisted ports."},
    [QPW_SIG_UNJUDGED_SENT] = {1000409, OF(UNJUDGED_SENT), QPW_REPEAT_INTERVAL, false, "undecodable-sent",
        "qportwatch: the node sends packets that cannot be decoded",
        "{initiator} sent {responder} packets that cannot be decoded ({reason}){traffic}, so no rule could be applied.",
        "The node's own network stack sends nothing of the kind. Find the program with raw sockets."},
    [QPW_SIG_UNJUDGED_BOTH] = {1000410, OF(UNJUDGED_BOTH), QPW_REPEAT_INTERVAL, false, "undecodable-both",
        "qportwatch: exchange of packets that cannot be decoded or decided",
        "{initiator} and {responder} exchange packets, some of which cannot be decoded or decided ({reason}){traffic}, so "
        "no rule could be applied to them.",
        "One end sends what cannot be judged, and the other answers. Capture the traffic between the two."},
    [QPW_SIG_GROUP_ANSWERED] = {1000411, OF(GROUP_ANSWERED), QPW_REPEAT_DAY, false, "group-answered",
        "qportwatch: the node answers an unlisted broadcast or multicast question",
        "{node} answered {initiator}, which had asked {service} of {responder}{process}{traffic}. {policy-says} {allow}",
        "Usual for discovery and name look-ups. What is asked of the node's own address has its own alert."},
    [QPW_SIG_CROSSED] = {1000412, OF(CROSSED), QPW_REPEAT_INTERVAL, false, "crossed",
        "qportwatch: unlisted datagrams both ways between two hosts, to different ports",
        "{initiator} sent to {service} of {responder}, and within the timeout {responder-address} sent to {crossed} of "
        "{initiator}: no answer was seen on either port, but each may be the answer to the other{process}. {policy-says} "
        "{allow}",
        "Find what sends on the node. Two things that have nothing to do with each other may look like this, as a probe "
        "and a log sent to the same host do."},
    [QPW_SIG_FOREIGN_SOURCE] = {1000414, OF(FOREIGN_SOURCE), QPW_REPEAT_INTERVAL, false, "foreign-source",
        "qportwatch: the node sends from an address that is not its own",
        "{initiator} sent {service} to {responder}{process}{traffic}. {policy-says}",
        "A device stacked on the card (macvlan, ipvlan), a container or guest with one, or a program with raw sockets. List "
        "what is stacked on the card; what is wanted should have addresses of this node, or a bridge."},
    [QPW_SIG_MISMATCH] = {1000415, OF(MISMATCH), QPW_REPEAT_INTERVAL, false, "service-mismatch",
        "qportwatch: first bytes on a listed port look like another service",
        "{initiator} used {service} of {responder}{process}{traffic}. {policy-says}{program} {allow}",
        "Find out what the process of this node does on that port. First bytes are a resemblance, not a proof; but the "
        "service that the rule names does not begin like this."},
    [QPW_SIG_MISMATCH_TEXT] = {1000416, OF(MISMATCH_TEXT), QPW_REPEAT_INTERVAL, false, "service-mismatch-text",
        "qportwatch: text on a listed port whose service is binary",
        "{responder} served {initiator} on {service}{process}{traffic}. {policy-says}{program} {allow}",
        "A shell or a proxy in the place of a service looks like this. Find the process that answers, and isolate the "
        "node if nobody put it there."},
    [QPW_SIG_MULTICAST] = {1000404, OF(GROUP), QPW_REPEAT_DAY, false, "multicast",
        "qportwatch: unlisted broadcast or multicast",
        "Senders of {service} to broadcast or multicast addresses: {count}, most recently {initiator} to {responder}. "
        "{policy-says} Reported once per port and day. {allow}",
        "Noise of a network (discovery, name look-ups). Harmless unless the node answers, which is reported "
        "separately."},

    [QPW_SIG_SCAN] = {1000501, OF(SCAN), QPW_REPEAT_INTERVAL, false, "scan",
        "qportwatch: scan of unlisted ports",
        "{initiator} probed {count} unlisted ports of {node} ({ports}), most recently at {responder-address}; "
        "{none-answered}. Answered ports are reported separately. {suppress}",
        "Find out who runs the initiator. If it is your own scanner, add the suppression with a date and a reason."},
    [QPW_SIG_SCAN_OUT] = {1000502, OF(SCAN_OUT), QPW_REPEAT_INTERVAL, false, "scan-outbound",
        "qportwatch: the node scans others",
        "{initiator} probed {count} unlisted ports or addresses ({ports}), most recently {responder}; "
        "{none-answered}. Answered ports are reported separately. {suppress}",
        "A storage node has no reason to scan. Treat it as suspect until the process is known."},
    [QPW_SIG_MANY_INITIATORS] = {1000503, OF(MANY), QPW_REPEAT_INTERVAL, false, "many-initiators",
        "qportwatch: many initiators try the same unlisted port",
        "{count} addresses tried {service} of {responder}, most recently {initiator}; {none-answered}. "
        "From {prefixes}. {policy-says}" FIREWALL " {allow-any}",
        "Either clients expect a service that the policy does not list, or addresses are forged: check the prefixes."},
    [QPW_SIG_FLOOD] = {1000504, OF(SCAN), QPW_REPEAT_INTERVAL, false, "flood",
        "qportwatch: many initiators try many unlisted ports",
        "{count} unanswered attempts on unlisted ports of {responder} ({ports}) from {prefixes}. "
        "Answered ports are reported separately." FIREWALL " {suppress}",
        "Forged addresses or a distributed scan. Look for answered alerts in the same minutes."},
    [QPW_SIG_MAYBE_PEER] = {1000505, OF(NEIGHBOUR), QPW_REPEAT_INTERVAL, false, "maybe-peer",
        "qportwatch: unexpected exchanges with an address on the node's own network",
        "{count} unexpected findings between {node} and {remote}, which is on the node's own network ({ports}); "
        "{none-answered}. No peers are defined. {detail}",
        "Name the nodes of the cluster, and only them, with --peer or `peer` lines; all traffic between nodes is then allowed."},
    [QPW_SIG_FURTHER] = {1000506, OF(FURTHER), QPW_REPEAT_INTERVAL, false, "further-initiators",
        "qportwatch: further initiators of an unlisted service that answers",
        "{count} answered by {node} on {service}{process}: {detail} since {first} was reported as the "
        "first, most recently {initiator}. From {prefixes}. {policy-says}{program} {allow-any}",
        LOOK_AT_SERVER},
    [QPW_SIG_FURTHER_OUT] = {1000507, OF(FURTHER), QPW_REPEAT_INTERVAL, false, "further-responders",
        "qportwatch: the node uses an unlisted outbound port of further addresses",
        "{node} reached {count} on {service}{process}: {detail} since {first} was reported as the first, "
        "most recently {responder}. In {prefixes}. {policy-says}{program} {allow-any}", LOOK_AT_CLIENT},
    [QPW_SIG_FURTHER_INFO] = {1000508, OF(FURTHER_INFO), QPW_REPEAT_DAY, false, "further-companions",
        "qportwatch: further users of a companion or discovery service",
        "{count} exchanged {service} with {node}{process}: {detail} since {first} was reported as the "
        "first. {prefixes}. {allow-any}", "Usual for the service."},

    [QPW_SIG_PEER_SILENT] = {1000601, OF(PEER_SILENT), QPW_REPEAT_NEVER, false, "peer-silent",
        "qportwatch: a peer has gone silent",
        "Nothing was seen of peer {peer} for {detail}, over any of its addresses.",
        "Is the node down, or does its traffic take another interface?"},
    [QPW_SIG_PEER_BACK] = {1000602, OF(PEER_NEWS), QPW_REPEAT_NEVER, false, "peer-back",
        "qportwatch: a silent peer is back", "Peer {peer} is seen again{detail}.", "Nothing to do."},
    [QPW_SIG_PEER_FAMILY] = {1000603, OF(PEER_FAMILY), QPW_REPEAT_DAY, false, "peer-family",
        "qportwatch: a peer is seen, but not over the required address family",
        "Peer {peer} is seen, but not over {detail}, which {policy} requires between nodes (`require-peer-family`).",
        "Check that family's addresses and routes between the nodes; do the peer's lines hold all of its addresses?"},
    [QPW_SIG_PEER_PORT] = {1000604, OF(PEER_NEWS), QPW_REPEAT_NEVER, false, "peer-port",
        "qportwatch: a peer uses a port that no peer used before",
        "Peer {peer} used {service}, which no peer used since {detail}. Any port is allowed between nodes.",
        "Usual after an upgrade of the cluster. Without one, look at the peer."},
    [QPW_SIG_ROUTER_ADVERTISEMENT] = {1000605, OF(ADVERTISEMENT), QPW_REPEAT_DAY, false, "router-advertisement",
        "qportwatch: router advertisement from a new source",
        "{initiator} advertises itself as an IPv6 router. {Policy} allows it as infra, but the source is new.",
        "Is it your router? A forged advertisement redirects the node's traffic."},
    [QPW_SIG_REDIRECT] = {1000606, OF(REDIRECT), QPW_REPEAT_DAY, false, "icmp-redirect",
        "qportwatch: ICMP redirect",
        "{initiator} sent {responder} an ICMP redirect. {Policy} allows it as infra, but a redirect moves traffic.",
        "Is it your router? Servers usually ignore redirects (net.ipv4.conf.all.accept_redirects=0)."},

    [QPW_SIG_LARGE_ECHO] = {1000609, OF(LARGE_ECHO), QPW_REPEAT_DAY, false, "large-echo",
        "qportwatch: large or frequent ping",
        "{initiator} and {responder} exchange pings with more than 128 bytes of payload, or more than 60 a minute"
        "{process}{traffic}. {Policy} allows it as infra, up to 10 unfragmented echoes a second.",
        "Usual when somebody tests a path or its MTU. An echo can carry anything: if nobody tests, look at the sender."},

    [QPW_SIG_LISTENER_NEW] = {1000607, OF(LISTENER), QPW_REPEAT_NEVER, false, "listener-new",
        "qportwatch: new listening socket on an unlisted port",
        "{node} listens on {service} at {detail}{process}; it did not when monitoring began. {policy-says} Nobody needs to "
        "have asked it yet. {allow-any}",
        "Find out who started the program. If the service is wanted, add the rule; if not, stop it."},
    [QPW_SIG_OWNER_CHANGED] = {1000608, OF(OTHER_OWNER), QPW_REPEAT_NEVER, false, "owner-changed",
        "qportwatch: another owner than the policy names on a listed port",
        "{detail}{process}. Rule {rule} of {policy} allows the port, but only as that of {wanted}.",
        "If the service was replaced on purpose, change owner= of the rule. If not, treat the program as an intruder: it "
        "uses a port that the policy trusts."},

    [QPW_SIG_CLUSTER_BLIND] = {1000651, OF(CLUSTER_BLIND), QPW_REPEAT_DAY, false, "cluster-blind",
        "qportwatch: a node does not see all packets that its peers send to it",
        "Counted by both ends: {detail}.", "Monitor that device on that node, too; until then its audit is blind there."},
    [QPW_SIG_CLUSTER_LOST] = {1000652, OF(CLUSTER_LOST), QPW_REPEAT_DAY, false, "cluster-lost",
        "qportwatch: packets between two nodes are lost",
        "Counted by both ends: {detail}.", "Look for errors of ports and cables, and for overload. No audit is blind."},
    [QPW_SIG_CLUSTER_FORGED] = {1000653, OF(CLUSTER_FORGED), QPW_REPEAT_DAY, false, "cluster-forged",
        "qportwatch: someone else sends in the name of a node",
        "Counted by both ends: {detail}.", "Find the MAC address on the switch. Peers may use any port, so this is an intruder's way in."},
    [QPW_SIG_CLUSTER_BYPASSED] = {1000654, OF(CLUSTER_BYPASSED), QPW_REPEAT_DAY, false, "cluster-bypassed",
        "qportwatch: a node's peers receive packets that it did not see itself send",
        "Counted by both ends: {detail}.", "Look for unmonitored devices and for programs that send around the hooks on that node."},
    [QPW_SIG_CLUSTER_DOWN] = {1000655, OF(CLUSTER_DOWN), QPW_REPEAT_DAY, false, "cluster-down",
        "qportwatch: a node is silent to all its peers", "{detail}.", "Is the node down, or its link?"},
    [QPW_SIG_CLUSTER_STALE] = {1000656, OF(CLUSTER_STALE), QPW_REPEAT_DAY, false, "cluster-stale",
        "qportwatch: a node makes no statement any more",
        "{detail}.", "Look at the auditor and `serve` on that node: they have ended, or are cut off. An intruder would end them, too."},
    [QPW_SIG_CLUSTER_PARTITION] = {1000657, OF(CLUSTER_PARTITION), QPW_REPEAT_DAY, false, "cluster-partition",
        "qportwatch: some nodes do not hear each other", "{detail}.", "Look at the switches and links between them."},
    [QPW_SIG_CLUSTER_ADDRESS_TWICE] = {1000658, OF(CLUSTER_ADDRESS), QPW_REPEAT_DAY, false, "cluster-address-twice",
        "qportwatch: two nodes hold the same address", "{detail}.", "Remove it from one of them; clients reach either at random."},
    [QPW_SIG_CLUSTER_COVERAGE] = {1000659, OF(CLUSTER_COVERAGE), QPW_REPEAT_DAY, false, "cluster-coverage",
        "qportwatch: a node monitors less than the others", "{detail}.", "Monitor the device on that node, too."},
    [QPW_SIG_CLUSTER_DIRECTION] = {1000660, OF(CLUSTER_DIRECTION), QPW_REPEAT_DAY, false, "cluster-direction",
        "qportwatch: two nodes disagree on who opened what",
        "{detail}.", "One of them is wrong about its own traffic: compare `qportwatch connections` on both."},
    [QPW_SIG_CLUSTER_ODD] = {1000661, OF(CLUSTER_ODD), QPW_REPEAT_DAY, false, "cluster-odd",
        "qportwatch: one node differs from the others in what it answers", "{detail}.", "Find the process, and who set it up there."},
    [QPW_SIG_CLUSTER_SCAN] = {1000662, OF(SCAN), QPW_REPEAT_DAY, false, "cluster-scan",
        "qportwatch: scan of several nodes",
        "{detail}. What answered has an alert of its own on its node.", LOOK_AT_KNOCKER},
    [QPW_SIG_CLUSTER_DRIFT] = {1000663, OF(CLUSTER_DRIFT), QPW_REPEAT_DAY, false, "cluster-drift",
        "qportwatch: nodes differ in policy, version or mode", "{detail}.", "Give all nodes the same policy file and the same version."},
    [QPW_SIG_CLUSTER_CLOCK] = {1000664, OF(CLUSTER_CLOCK), QPW_REPEAT_DAY, false, "cluster-clock",
        "qportwatch: the clocks of two nodes differ",
        "{detail}. Packets are compared by other clocks, which do not step.", "Look at the time synchronisation of both nodes."},
    [QPW_SIG_CLUSTER_KEY] = {1000665, OF(CLUSTER_KEY), QPW_REPEAT_DAY, false, "cluster-key",
        "qportwatch: a peer shows another key than the policy names",
        "{detail}.", "If its key was renewed, put the new line of `qportwatch cluster key` into the policy. If not, someone answers in its "
        "place."},
    [QPW_SIG_CLUSTER_LOG] = {1000666, OF(CLUSTER_LOG), QPW_REPEAT_DAY, false, "cluster-log",
        "qportwatch: a peer's alert log was cut or begun again",
        "{detail}.", "On that node: `qportwatch alerts --verify`; and here, for what was heard of it: `qportwatch alerts --verify --peers`. "
        "If nobody removed the log on purpose, treat the node as taken over."},
    [QPW_SIG_CLUSTER_UNCOMPARED] = {1000667, OF(CLUSTER_UNCOMPARED), QPW_REPEAT_DAY, false, "cluster-uncompared",
        "qportwatch: the nodes are not compared any more",
        "`qportwatch serve` on this node has written nothing for {detail}: its peers are not compared with it.",
        "Start it again: `systemctl restart qportwatch-serve`."},
    [QPW_SIG_CLUSTER_OVER] = {1000668, OF(PEER_NEWS), QPW_REPEAT_NEVER, false, "cluster-over",
        "qportwatch: what differed between nodes does so no more", "No longer so{detail}.", "Nothing to do."},

    [QPW_SIG_RELOAD_FAILED] = {1000701, OF(RELOAD_FAILED), QPW_REPEAT_NEVER, false, "reload-failed",
        "qportwatch: the policy could not be reloaded",
        "Reload failed, {policy} stays in force as it was: {detail}",
        "Correct the file, then `qportwatch policy check FILE` and `qportwatch reload`."},
    [QPW_SIG_DETAIL_LOST] = {1000702, OF(DETAIL_LOST), QPW_REPEAT_INTERVAL, false, "detail-lost",
        "qportwatch: unexpected exchanges counted without detail",
        "The table of unanswered findings is full. Counted by port and source prefix only: {count}. {detail}",
        "Usually a scan or forged addresses. `qportwatch report` lists the ports and prefixes; answered findings keep "
        "their place."},
    [QPW_SIG_ANSWERED_DETAIL_LOST] = {1000703, OF(ANSWERED_LOST), QPW_REPEAT_INTERVAL, false, "answered-detail-lost",
        "qportwatch: answered exchanges counted without detail",
        "Tables of answered findings are full. Counted by port and source prefix only: {count}. {detail} The first of "
        "each port has its own alert as long as there is room.",
        "An open unlisted port that very many use: look at the alerts of that port."},
    [QPW_SIG_COUNTING_LOST] = {1000704, OF(TABLE_FULL), QPW_REPEAT_INTERVAL, false, "table-full",
        "qportwatch: a table was full", "Tables in the kernel were full: {detail}.",
        "`qportwatch status` shows the tables; --max-connections makes them larger."},
    [QPW_SIG_AUDITOR_GAP] = {1000705, OF(AUDITOR_GAP), QPW_REPEAT_NEVER, false, "auditor-gap",
        "qportwatch: gap in the audit", "No auditor was running {detail} Counting continued in the kernel.",
        "Why did it stop? Alerts of that time are written now."},
    [QPW_SIG_HOOK_LOST] = {1000706, OF(BLIND), QPW_REPEAT_NEVER, false, "hook-lost",
        "qportwatch: monitoring lost", "The programs on {iface} were removed by another program or user: {detail}",
        "Nothing has been seen on that interface since. Find out who did it, then attach again."},
    [QPW_SIG_HOOK_NOT_FIRST] = {1000707, OF(NOT_FIRST), QPW_REPEAT_NEVER, false, "hook-not-first",
        "qportwatch: may not see everything", "Another program runs before ours on {iface}: {detail}",
        "What that program drops or redirects is not seen. Move it behind ours, or accept it."},
    [QPW_SIG_INTERFACE_LOST] = {1000708, OF(INTERFACE_LOST), QPW_REPEAT_NEVER, false, "interface-lost",
        "qportwatch: a monitored interface is gone or down", "Interface {iface}: {detail}",
        "Nothing is seen on it until it is back; monitoring resumes by itself."},
    [QPW_SIG_OWNERS_LOST] = {1000711, OF(OWNERS_LOST), QPW_REPEAT_NEVER, false, "owners-lost",
        "qportwatch: owners of sockets not noted",
        "The programs that note which process makes a socket were removed by another program or user. {detail}",
        "They are put back at once where that is possible. Find out who did it: processes that ended meanwhile are unknown."},
    [QPW_SIG_ADDRESSES_LEFT_OUT] = {1000712, OF(ADDRESSES_LEFT_OUT), QPW_REPEAT_NEVER, false, "addresses-left-out",
        "qportwatch: local addresses left out",
        "The node has more local addresses than the table of them holds. Left out: {detail}",
        "Packets of those left out may count as transit. Remove addresses that nobody uses, or monitor the interfaces of several "
        "network namespaces separately."},
    [QPW_SIG_HELD_BACK] = {1000709, OF(RATE_LIMITED), QPW_REPEAT_INTERVAL, false, "held-back",
        "qportwatch: alerts delayed by the rate limit",
        "Delayed by the rate limit of {detail} per second since the last such record: {count}. They are written later, one "
        "by one; answered findings are never delayed.",
        "Look at the alerts of the same minutes; scans and floods are reported as one."},
    [QPW_SIG_SUPPRESSED] = {1000710, OF(HOUSEKEEPING), QPW_REPEAT_DAY, false, "suppressed",
        "qportwatch: findings suppressed",
        "Suppressed by {rule} since the last such record: {count}. {detail}",
        "Nothing to do. The report still lists them."},

    [QPW_SIG_ATTACHED] = {1000801, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "attached", "qportwatch: attached",
        "Attached to {iface}. {detail}", ""},
    [QPW_SIG_DETACHED] = {1000802, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "detached", "qportwatch: detached",
        "Detached from {iface}. {detail}", ""},
    [QPW_SIG_STARTED] = {1000803, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "auditor-started",
        "qportwatch: auditor started",
        "The auditor started. {detail}", ""},
    [QPW_SIG_STOPPED] = {1000804, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "auditor-stopped",
        "qportwatch: auditor stopped",
        "The auditor stopped. {detail}", ""},
    [QPW_SIG_INTERFACE] = {1000805, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "interface", "qportwatch: interface",
        "Interface {iface}: {detail}", ""},
    [QPW_SIG_RELOADED] = {1000806, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "reloaded", "qportwatch: policy reloaded",
        "The policy was reloaded:{detail}", ""},
    [QPW_SIG_RELOADED_ALONE] = {1000814, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "reloaded-alone",
        "qportwatch: policy reloaded without an auditor", "The policy was reloaded while no auditor was running: {detail}", ""},
    [QPW_SIG_CLOCK_STEPPED] = {1000809, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "clock-stepped",
        "qportwatch: the system's clock was set", "{detail} Intervals are measured by another clock and are not affected.", ""},
    [QPW_SIG_OWNERS_NOTED] = {1000810, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "owners-noted",
        "qportwatch: owners of sockets noted again", "{detail}", ""},
    [QPW_SIG_ADDRESSES_COMPLETE] = {1000811, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "addresses-complete",
        "qportwatch: local addresses complete again", "The table of local addresses holds all of them again. {detail}", ""},
    [QPW_SIG_HISTORY_STOPPED] = {1000812, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "history-stopped",
        "qportwatch: history not written", "The history is not being written: {detail}. Counting and alerts go on.", ""},
    [QPW_SIG_HISTORY] = {1000813, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "history",
        "qportwatch: history written again", "The history is being written. {detail}", ""},
    [QPW_SIG_SUPPRESSION_ADDED] = {1000807, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "suppression-added",
        "qportwatch: suppression in force", "Suppression in force: {detail}", ""},
    [QPW_SIG_SUPPRESSION_ENDED] = {1000808, OF(HOUSEKEEPING), QPW_REPEAT_NEVER, true, "suppression-ended",
        "qportwatch: suppression ended", "Suppression no longer in force: {detail}", ""},
};

const struct qpw_signature *qpw_signature(enum qpw_signature_name name)
{
    return &signatures[name < QPW_SIG_COUNT ? name : QPW_SIG_NONE];
}

const struct qpw_signature *qpw_signature_by_id(uint32_t id)
{
    for (size_t i = 1; i < QPW_SIG_COUNT; i++)
        if (signatures[i].id == id)
            return &signatures[i];
    return NULL;
}

/* The signature of each concern of a finding; other signatures are not about findings. */
static const enum qpw_signature_name of_concern[QPW_CONCERN_COUNT] = {
    [QPW_CONCERN_IN_ATTEMPTED] = QPW_SIG_IN_ATTEMPTED,
    [QPW_CONCERN_IN_REFUSED] = QPW_SIG_IN_REFUSED,
    [QPW_CONCERN_IN_ANSWERED] = QPW_SIG_IN_ANSWERED,
    [QPW_CONCERN_IN_DATA] = QPW_SIG_IN_DATA,
    [QPW_CONCERN_OUT_ATTEMPTED] = QPW_SIG_OUT_ATTEMPTED,
    [QPW_CONCERN_OUT_REFUSED] = QPW_SIG_OUT_REFUSED,
    [QPW_CONCERN_OUT_ANSWERED] = QPW_SIG_OUT_ANSWERED,
    [QPW_CONCERN_OUT_DATA] = QPW_SIG_OUT_DATA,
    [QPW_CONCERN_OUT_ANSWERED_NEW] = QPW_SIG_OUT_ANSWERED_NEW,
    [QPW_CONCERN_OUT_DATA_NEW] = QPW_SIG_OUT_DATA_NEW,
    [QPW_CONCERN_PROTOCOL_ONE_WAY] = QPW_SIG_PROTOCOL_SEEN,
    [QPW_CONCERN_PROTOCOL_BOTH] = QPW_SIG_PROTOCOL_BOTH,
    [QPW_CONCERN_ETHERTYPE] = QPW_SIG_ETHERTYPE,
    [QPW_CONCERN_WEAK_ANSWERED] = QPW_SIG_WEAK_ANSWERED,
    [QPW_CONCERN_IMPLIED] = QPW_SIG_IMPLIED,
    [QPW_CONCERN_IMPLIED_UNKNOWN] = QPW_SIG_IMPLIED_UNKNOWN,
    [QPW_CONCERN_UNDECIDED_BOTH] = QPW_SIG_UNDECIDED_BOTH,
    [QPW_CONCERN_NO_HANDSHAKE] = QPW_SIG_NO_HANDSHAKE,
    [QPW_CONCERN_INFERRED_BOTH] = QPW_SIG_INFERRED_BOTH,
    [QPW_CONCERN_JUST_ATTACHED] = QPW_SIG_JUST_ATTACHED,
    [QPW_CONCERN_QUESTION_LOST] = QPW_SIG_QUESTION_LOST,
    [QPW_CONCERN_UNJUDGED_SENT] = QPW_SIG_UNJUDGED_SENT,
    [QPW_CONCERN_UNJUDGED_BOTH] = QPW_SIG_UNJUDGED_BOTH,
    [QPW_CONCERN_GROUP_ANSWERED] = QPW_SIG_GROUP_ANSWERED,
    [QPW_CONCERN_CROSSED] = QPW_SIG_CROSSED,
    [QPW_CONCERN_FOREIGN_SOURCE] = QPW_SIG_FOREIGN_SOURCE,
    [QPW_CONCERN_MISMATCH] = QPW_SIG_MISMATCH,
    [QPW_CONCERN_MISMATCH_TEXT] = QPW_SIG_MISMATCH_TEXT,
    [QPW_CONCERN_GROUP] = QPW_SIG_MULTICAST,
    [QPW_CONCERN_ADVERTISEMENT] = QPW_SIG_ROUTER_ADVERTISEMENT,
    [QPW_CONCERN_REDIRECT] = QPW_SIG_REDIRECT,
    [QPW_CONCERN_LARGE_ECHO] = QPW_SIG_LARGE_ECHO,
};

enum qpw_signature_name qpw_signature_of(const struct qpw_finding_row *row)
{
    return of_concern[qpw_finding_concern(row)];
}
