/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The servers in a DHCP client's files, each once; missing files and invalid addresses name none. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/leases.h"
#include "util/names.h"

static char root[64];

static void setup(void)
{
    snprintf(root, sizeof(root), "/tmp/qportwatch-leases.XXXXXX");
    cr_assert_not_null(mkdtemp(root));
}

static void teardown(void)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -r %s", root);
    cr_assert_eq(system(command), 0);
}

TestSuite(leases, .init = setup, .fini = teardown);

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "mkdir -p %s%s", root, folder);
    cr_assert_eq(system(path), 0);
    snprintf(path, sizeof(path), "%s%s/%s", root, folder, name);
    f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

/* Return the servers found, in the order of the files. */
static const char *servers(size_t max)
{
    static char text[256];
    uint8_t found[8][16];
    char address[64];
    size_t n = qpw_lease_servers(root, found, max);

    *text = '\0';
    for (size_t i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
                 qpw_address_text(found[i], address, sizeof(address)));
    return text;
}

Test(leases, of_each_client)
{
    cr_expect_str_eq(servers(8), "");
    write_file("/run/systemd/netif/leases", "2", "# This is private data. Do not parse.\nADDRESS=10.0.0.5\nNETMASK=255.255.255.0\n"
                                                 "SERVER_ADDRESS=10.0.0.1\nT1=1800\n");
    write_file("/var/lib/dhcp", "dhclient.eth0.leases",
               "lease {\n  interface \"eth0\";\n  fixed-address 10.1.0.5;\n  option dhcp-server-identifier 10.1.0.1;\n}\n"
               "lease {\n  option dhcp-server-identifier 10.1.0.2;\n}\nlease {\n  option dhcp-server-identifier 10.1.0.1;\n}\n");
    write_file("/var/lib/NetworkManager", "internal-1.lease", "ADDRESS=10.2.0.5\nSERVER_ADDRESS=10.2.0.1\n");
    cr_expect_str_eq(servers(8), "10.0.0.1 10.1.0.1 10.1.0.2 10.2.0.1");
    cr_expect_str_eq(servers(2), "10.0.0.1 10.1.0.1", "no more than there is room for");
}

Test(leases, what_names_none)
{
    char path[160];

    write_file("/run/systemd/netif/leases", "2", "SERVER_ADDRESS=\nSERVER_ADDRESS=dhcp.example\nSERVER_ADDRESS=10.0.0\n"
                                                 "SERVER_ADDRESS=0.0.0.0\nSERVER_ADDRESS=10.0.0.300\n");
    write_file("/var/lib/dhcp", "note.txt", "option dhcp-server-identifier 10.1.0.1;\n");
    snprintf(path, sizeof(path), "%s/var/lib/dhcp/pipe.leases", root);
    cr_assert_eq(mkfifo(path, 0600), 0);
    snprintf(path, sizeof(path), "%s/var/lib/dhcp/folder.leases", root);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_str_eq(servers(8), "");
}
