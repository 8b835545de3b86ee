/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* schema.h - the tables of a history, QPW_HISTORY_VERSION; qportwatch-history(5) describes them. */
#ifndef QPW_HISTORY_SCHEMA_H
#define QPW_HISTORY_SCHEMA_H

#define QPW_HISTORY_SCHEMA \
    "CREATE TABLE epoch(id INTEGER PRIMARY KEY, instance INTEGER, attached_ns INTEGER, began INTEGER, written INTEGER," \
    " ended INTEGER, host TEXT, version TEXT, interfaces TEXT, UNIQUE(attached_ns));" \
    "CREATE TABLE witness(epoch INTEGER, start INTEGER, end INTEGER, writes INTEGER);" \
    "CREATE TABLE blind(epoch INTEGER, start INTEGER, end INTEGER, device TEXT, kind TEXT);" \
    "CREATE TABLE policy(id INTEGER PRIMARY KEY, loaded INTEGER, digest TEXT, source_digest TEXT, name TEXT, path TEXT," \
    " loaded_by TEXT, text TEXT);" \
    "CREATE TABLE rule(name TEXT PRIMARY KEY, direction INTEGER, verdict INTEGER, text TEXT, in_force INTEGER," \
    " since INTEGER, until INTEGER) WITHOUT ROWID;" \
    "CREATE TABLE key(id INTEGER PRIMARY KEY, kind INTEGER, protocol INTEGER, port INTEGER, direction INTEGER," \
    " scope INTEGER, verdict INTEGER, reason INTEGER, rule TEXT, peer TEXT, device TEXT, first INTEGER, last INTEGER," \
    " UNIQUE(kind, protocol, port, direction, scope, verdict, reason, rule, peer, device));" \
    "CREATE TABLE slot(span INTEGER, start INTEGER, key INTEGER, connections INTEGER, rx_packets INTEGER," \
    " rx_bytes INTEGER, tx_packets INTEGER, tx_bytes INTEGER, PRIMARY KEY(span, start, key)) WITHOUT ROWID;" \
    "CREATE TABLE talker(key INTEGER, remote TEXT, first INTEGER, last INTEGER, outcome INTEGER, connections INTEGER," \
    " process TEXT, PRIMARY KEY(key, remote)) WITHOUT ROWID;" \
    "CREATE INDEX talker_remote ON talker(remote);" \
    "CREATE TABLE used(day INTEGER, rule TEXT, remote TEXT, connections INTEGER, PRIMARY KEY(day, rule, remote))" \
    " WITHOUT ROWID;" \
    "CREATE TABLE listener(protocol INTEGER, port INTEGER, program TEXT, first INTEGER," \
    " PRIMARY KEY(protocol, port, program)) WITHOUT ROWID;" \
    "CREATE TABLE program(path TEXT PRIMARY KEY, first INTEGER) WITHOUT ROWID;" \
    "CREATE TABLE finding(flow INTEGER PRIMARY KEY, initiator TEXT, responder TEXT, kind INTEGER, protocol INTEGER," \
    " port INTEGER, direction INTEGER, verdict INTEGER, folded INTEGER, first_ns INTEGER, last_ns INTEGER," \
    " answered_ns INTEGER, outcome INTEGER, evidence INTEGER, reason INTEGER, rule TEXT, device TEXT, peer TEXT," \
    " scope INTEGER, vlan INTEGER, initiator_port INTEGER, flags INTEGER, other_port INTEGER, process TEXT," \
    " uid INTEGER, exe TEXT, state INTEGER, closed INTEGER, state_ns INTEGER, who TEXT, said TEXT," \
    " connections INTEGER, rx_packets INTEGER, rx_bytes INTEGER, tx_packets INTEGER, tx_bytes INTEGER);" \
    "CREATE INDEX finding_last ON finding(last_ns);" \
    "CREATE INDEX finding_port ON finding(port, protocol);" \
    "CREATE TABLE change(epoch INTEGER, sequence INTEGER, at_ns INTEGER, kind INTEGER, device TEXT, text TEXT," \
    " PRIMARY KEY(epoch, sequence)) WITHOUT ROWID;" \
    "CREATE INDEX change_at ON change(at_ns);" \
    "CREATE TABLE counted(what INTEGER, id BLOB, key INTEGER, first_ns INTEGER, connections INTEGER," \
    " rx_packets INTEGER, rx_bytes INTEGER, tx_packets INTEGER, tx_bytes INTEGER, PRIMARY KEY(what, id))" \
    " WITHOUT ROWID;" \
    "CREATE TABLE lost(what TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;"

#endif
