/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * speaks.h - what speaks on a port: the classes of first bytes, the services that a rule can name
 * with speaks=, and which classes each service is expected to send, each list once.
 *
 * A class is a resemblance, never a proof: anybody can send another service's first bytes. bpf/speech.h finds the
 * class and judges it.
 */
#ifndef QPW_SPEAKS_H
#define QPW_SPEAKS_H

#include <linux/types.h>

/*
 * X(SYMBOL, "name", "what it looks like"). Names are printed and read back: they do not change. Values are kept in
 * maps, in five bits: at most 32.
 */
#define QPW_SPEECHES(X) \
    X(NONE, "none", "nothing")              /* no payload yet */ \
    X(SHORT, "short", "too few bytes to tell") \
    X(JOINED, "mp-join", "a further path of a Multipath TCP connection") /* begins in the middle of a stream */ \
    X(MIDSTREAM, "midstream", "a stream whose beginning was not seen") \
    X(TLS, "tls", "TLS") \
    X(DNS, "dns", "DNS") \
    X(SSH, "ssh", "SSH") \
    X(HTTP, "http", "HTTP") \
    X(HTTPERR, "http-error", "HTTP, an error or redirection") \
    X(HTML, "html", "HTML without an HTTP header") \
    X(PROXY, "proxy-header", "the header of a proxy")   /* of HAProxy's PROXY protocol; says nothing about the service */ \
    X(SMTPC, "smtp-client", "an SMTP client") \
    X(FTPC, "ftp-client", "an FTP client") \
    X(SMB, "smb", "SMB") \
    X(NBSS, "netbios", "NetBIOS session service") \
    X(KRB, "kerberos", "Kerberos") \
    X(RPC, "sunrpc", "Sun RPC") \
    X(LDAP, "ldap", "LDAP") \
    X(SNMP, "snmp", "SNMP") \
    X(DCERPC, "dcerpc", "DCE/RPC") \
    X(SYSLOG, "syslog", "syslog") \
    X(RSH, "rsh", "rsh") \
    X(REPLY, "reply", "a three-digit reply (FTP, SMTP, NNTP)") \
    X(NTP, "ntp", "NTP") \
    X(FCGI, "fastcgi", "FastCGI") \
    X(MYSQL, "mysql", "MySQL") \
    X(TPKT, "tpkt", "TPKT (RDP, ISO transport)") \
    X(TELNET, "telnet", "telnet") \
    X(SOCKS, "socks", "SOCKS") \
    X(DTLS, "dtls", "DTLS") \
    X(TEXT, "text", "text") \
    X(BIN, "binary", "unknown binary data")

#define QPW_X_SPEECH(s, name, text) QPW_SPEECH_##s,
enum qpw_speech { QPW_SPEECHES(QPW_X_SPEECH) QPW_SPEECH_COUNT };

/* What is kept of one end (qpw_conn.speaks): its class, and these. */
#define QPW_SPEECH 0x1fu
#define QPW_SPEECH_WAITS 0x20u    /* more bytes may still change it */
#define QPW_SPEECH_FIRST 0x40u    /* that end sent payload before the other one did */
#define QPW_SPEECH_MISMATCH 0x80u /* when it was seen, the exchange was found to be another service than its rule names */

/* Sets of classes. */
#define QPW_LOOKS(s) (1u << QPW_SPEECH_##s)

/*
 * X(SYMBOL, "word of speaks=", "what people call it", expected classes, tolerated classes, QPW_SPOKEN_*). Expected
 * confirms the service, tolerated neither confirms it nor speaks against it.
 */
#define QPW_SPOKEN(X) \
    X(SSH, "ssh", "SSH", QPW_LOOKS(SSH), 0, QPW_SPOKEN_AS_TEXT | QPW_SPOKEN_BY_SERVER) \
    X(TLS, "tls", "TLS", QPW_LOOKS(TLS), QPW_LOOKS(HTTPERR) | QPW_LOOKS(HTML), 0) \
    X(HTTP, "http", "HTTP", QPW_LOOKS(HTTP) | QPW_LOOKS(HTTPERR), QPW_LOOKS(HTML), QPW_SPOKEN_AS_TEXT) \
    X(FTP, "ftp", "FTP", QPW_LOOKS(REPLY) | QPW_LOOKS(FTPC), 0, QPW_SPOKEN_AS_TEXT | QPW_SPOKEN_BY_SERVER) \
    X(SMB, "smb", "SMB", QPW_LOOKS(SMB) | QPW_LOOKS(NBSS), 0, 0) \
    X(SUNRPC, "sunrpc", "Sun RPC", QPW_LOOKS(RPC), 0, 0) \
    X(LDAP, "ldap", "LDAP", QPW_LOOKS(LDAP), 0, 0) \
    X(KERBEROS, "kerberos", "Kerberos", QPW_LOOKS(KRB), 0, 0) \
    X(DNS, "dns", "DNS", QPW_LOOKS(DNS), 0, 0) \
    X(DCERPC, "dcerpc", "DCE/RPC", QPW_LOOKS(DCERPC), 0, 0) \
    X(SYSLOG, "syslog", "syslog", QPW_LOOKS(SYSLOG), QPW_LOOKS(TEXT), QPW_SPOKEN_AS_TEXT) \
    X(NTP, "ntp", "NTP", QPW_LOOKS(NTP), 0, QPW_SPOKEN_UNSURE)

#define QPW_SPOKEN_AS_TEXT 0x1   /* its protocol is text */
#define QPW_SPOKEN_BY_SERVER 0x2 /* its server may speak first */
#define QPW_SPOKEN_UNSURE 0x4    /* too little of it is fixed: its class is shown and nothing is concluded from it */

#define QPW_X_SPOKEN(s, name, text, expected, tolerated, flags) QPW_SPOKEN_##s,
enum qpw_spoken { QPW_SPOKEN(QPW_X_SPOKEN) QPW_SPOKEN_COUNT };

/*
 * What a rule expects, as it stands in struct qpw_step: services, 1 << QPW_SPOKEN_*; 0: nothing is asked. ANY is
 * speaks=any, for the policy's texts alone: compiled, it is 0.
 */
#define QPW_SPEAKS(s) (1u << QPW_SPOKEN_##s)
#define QPW_SPEAKS_SERVICES ((1u << QPW_SPOKEN_COUNT) - 1)
#define QPW_SPEAKS_ANY (1u << 31)

/* Services that have each of these flags. */
#define QPW_X_AS_TEXT(s, name, text, expected, tolerated, flags) | ((flags) & QPW_SPOKEN_AS_TEXT ? QPW_SPEAKS(s) : 0)
#define QPW_X_BY_SERVER(s, name, text, expected, tolerated, flags) | ((flags) & QPW_SPOKEN_BY_SERVER ? QPW_SPEAKS(s) : 0)
#define QPW_X_UNSURE(s, name, text, expected, tolerated, flags) | ((flags) & QPW_SPOKEN_UNSURE ? QPW_SPEAKS(s) : 0)
#define QPW_SPEAKS_AS_TEXT (0u QPW_SPOKEN(QPW_X_AS_TEXT))
#define QPW_SPEAKS_BY_SERVER (0u QPW_SPOKEN(QPW_X_BY_SERVER))
#define QPW_SPEAKS_UNSURE (0u QPW_SPOKEN(QPW_X_UNSURE))

/* What a judgement comes to; from UNASKED on, why there is none. X(SYMBOL, "name", "what it means"). */
#define QPW_JUDGED(X) \
    X(UNASKED, "unasked", "no rule asks") \
    X(MATCH, "match", "looks like the service") \
    X(MISMATCH, "mismatch", "cannot be the service") \
    X(MIDSTREAM, "midstream", "its beginning was not seen") \
    X(SHORT, "short", "too few bytes") \
    X(JOINED, "mp-join", "a further path of a Multipath TCP connection") \
    X(TOLERATED, "tolerated", "neither confirms nor excludes the service") \
    X(UNSURE, "unsure", "not recognized, and neither is the other end") \
    X(MUTE, "mute", "this node's end has sent nothing")

#define QPW_X_JUDGED(s, name, text) QPW_JUDGED_##s,
enum qpw_judged { QPW_JUDGED(QPW_X_JUDGED) QPW_JUDGED_COUNT };

_Static_assert(QPW_SPEECH_COUNT <= 32, "a class is kept in five bits");
_Static_assert(QPW_SPOKEN_COUNT <= 12, "what a rule expects is kept in twelve bits of a connection");

#endif
