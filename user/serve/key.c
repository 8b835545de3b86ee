/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/key.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "util/cleanup.h"

#define YEARS 10
#define PATH_SIZE 4096

static void end_public(gnutls_pubkey_t *key)
{
    gnutls_pubkey_deinit(*key);
}

static void end_certificate(gnutls_x509_crt_t *certificate)
{
    gnutls_x509_crt_deinit(*certificate);
}

static void end_key(gnutls_x509_privkey_t *key)
{
    gnutls_x509_privkey_deinit(*key);
}

void qpw_key_clear(gnutls_datum_t *text)
{
    if (text->data)
        gnutls_memset(text->data, 0, text->size);
    gnutls_free(text->data);
}

static int pin_of(gnutls_x509_crt_t certificate, char ret_pin[QPW_KEY_LEN])
{
    QPW_CLEANUP(qpw_key_clear) gnutls_datum_t spki = {0}, base64 = {0};
    QPW_CLEANUP(end_public) gnutls_pubkey_t key = NULL;
    uint8_t digest[32];
    gnutls_datum_t sum = {digest, sizeof(digest)};

    if (gnutls_pubkey_init(&key) < 0)
        return -ENOMEM;
    if (gnutls_pubkey_import_x509(key, certificate, 0) < 0 || gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki) < 0 ||
        gnutls_hash_fast(GNUTLS_DIG_SHA256, spki.data, spki.size, digest) < 0 || gnutls_base64_encode2(&sum, &base64) < 0)
        return -EINVAL;
    snprintf(ret_pin, QPW_KEY_LEN, "sha256:%.*s", (int)base64.size, (const char *)base64.data);
    return 0;
}

static int import_pin(const gnutls_datum_t *bytes, gnutls_x509_crt_fmt_t format, char ret_pin[QPW_KEY_LEN])
{
    QPW_CLEANUP(end_certificate) gnutls_x509_crt_t certificate = NULL;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return -ENOMEM;
    return gnutls_x509_crt_import(certificate, bytes, format) < 0 ? -EINVAL : pin_of(certificate, ret_pin);
}

int qpw_key_pin(const gnutls_datum_t *certificate, char ret_pin[QPW_KEY_LEN])
{
    return import_pin(certificate, GNUTLS_X509_FMT_DER, ret_pin);
}

/* Let the service's user read a new key, where there is such a user; else only its owner may. */
static int share(int fd)
{
    const struct group *group = getgrnam(QPW_SERVE_GROUP);

    if (!group || geteuid() != 0)
        return 0;
    return fchown(fd, (uid_t)-1, group->gr_gid) < 0 || fchmod(fd, 0640) < 0 ? -errno : 0;
}

/* Create a file that must not exist yet, so that no key is ever overwritten. */
static int write_new(const char *path, mode_t mode, const gnutls_datum_t *text, struct qpw_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode), r = 0;

    if (fd < 0)
        return qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    if (fchmod(fd, mode) < 0 || (!(mode & S_IROTH) && share(fd) < 0) || write(fd, text->data, text->size) != (ssize_t)text->size || fsync(fd) < 0)
        r = qpw_fail(err, errno ? -errno : -EIO, "%s: %s", path, strerror(errno));
    if (close(fd) < 0 && r == 0)
        r = qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    if (r < 0)
        unlink(path);
    return r;
}

/* Certify the key by itself: peers trust the pin, not the issuer. Return 0 or an error of GnuTLS. */
static int self_sign(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *name)
{
    uint8_t serial[16];
    time_t now = time(NULL);
    int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

    serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and of full length (RFC 5280, 4.1.2.2) */
    if (r < 0 || (r = gnutls_x509_crt_set_version(certificate, 3)) < 0 ||
        (r = gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial))) < 0 ||
        (r = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, strlen(name))) < 0 ||
        (r = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, strlen(name), GNUTLS_FSAN_SET)) < 0 ||
        (r = gnutls_x509_crt_set_activation_time(certificate, now - 86400)) < 0 || /* a peer's clock may be behind */
        (r = gnutls_x509_crt_set_expiration_time(certificate, now + YEARS * 365 * 86400L)) < 0 ||
        (r = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE)) < 0 ||
        (r = gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0)) < 0 ||
        (r = gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_CLIENT, 0)) < 0 ||
        (r = gnutls_x509_crt_set_key(certificate, key)) < 0)
        return r;
    return gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
}

static int write_both(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *key_path, const char *certificate_path,
                      struct qpw_error *err)
{
    QPW_CLEANUP(qpw_key_clear) gnutls_datum_t key_text = {0}, certificate_text = {0};
    int r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key_text);

    if (r < 0 || (r = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_text)) < 0)
        return qpw_fail(err, -EIO, "the key cannot be written as text: %s", gnutls_strerror(r));
    r = write_new(key_path, 0600, &key_text, err);
    if (r < 0)
        return r;
    r = write_new(certificate_path, 0644, &certificate_text, err);
    if (r < 0)
        unlink(key_path); /* was made here, and is of no use without its certificate */
    return r;
}

static int make(const char *name, const char *key_path, const char *certificate_path, struct qpw_error *err)
{
    QPW_CLEANUP(end_certificate) gnutls_x509_crt_t certificate = NULL;
    QPW_CLEANUP(end_key) gnutls_x509_privkey_t key = NULL;
    int r = gnutls_x509_privkey_init(&key);

    if (r < 0 || (r = gnutls_x509_crt_init(&certificate)) < 0 ||
        (r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0)) < 0 ||
        (r = self_sign(certificate, key, name)) < 0)
        return qpw_fail(err, -EIO, "no key can be made: %s", gnutls_strerror(r));
    return write_both(certificate, key, key_path, certificate_path, err);
}

int qpw_key_load(const char *path, gnutls_datum_t *ret, struct qpw_error *err)
{
    errno = 0; /* GnuTLS says no more than that reading failed */
    if (gnutls_load_file(path, ret) < 0)
        return qpw_fail(err, errno ? -errno : -EIO, "%s: cannot be read: %s", path, strerror(errno ? errno : EIO));
    return 0;
}

int qpw_key_make(const char *folder, const char *name, bool *ret_made, char ret_pin[QPW_KEY_LEN], struct qpw_error *err)
{
    char key[PATH_SIZE], certificate[PATH_SIZE];
    QPW_CLEANUP(qpw_key_clear) gnutls_datum_t text = {0};
    int r;

    *ret_made = false;
    if (snprintf(key, sizeof(key), "%s/" QPW_KEY_FILE, folder) >= (int)sizeof(key) ||
        snprintf(certificate, sizeof(certificate), "%s/" QPW_CERTIFICATE_FILE, folder) >= (int)sizeof(certificate))
        return qpw_fail(err, -ENAMETOOLONG, "%s: %s", folder, strerror(ENAMETOOLONG));
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return qpw_fail(err, -errno, "%s: %s", folder, strerror(errno));
    if (access(key, F_OK) < 0 && access(certificate, F_OK) < 0) {
        r = make(name, key, certificate, err);
        if (r < 0)
            return r;
        *ret_made = true;
    }
    if (access(key, F_OK) < 0)
        return qpw_fail(err, -ENOENT, "%s: its key %s is missing; remove it, and both will be made again", certificate, key);
    r = qpw_key_load(certificate, &text, err);
    if (r < 0)
        return r;
    r = import_pin(&text, GNUTLS_X509_FMT_PEM, ret_pin);
    return r < 0 ? qpw_fail(err, r, "%s: is no certificate in PEM", certificate) : 0;
}
