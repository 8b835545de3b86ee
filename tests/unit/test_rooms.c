/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The order of the folders: the tree follows user/README.md, and tests/rooms detects violations; what must fit it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int check(const char *root, char *text, size_t size)
{
    char command[256];
    FILE *out;
    size_t got;

    snprintf(command, sizeof(command), "tests/rooms %s 2>&1", root);
    out = popen(command, "r");
    cr_assert(out);
    got = fread(text, 1, size - 1, out);
    text[got] = '\0';
    return WEXITSTATUS(pclose(out));
}

static void write_file(const char *root, const char *path, const char *text)
{
    char command[512], name[256];
    FILE *file;

    snprintf(command, sizeof(command), "mkdir -p $(dirname %s/%s)", root, path);
    cr_assert_eq(system(command), 0);
    snprintf(name, sizeof(name), "%s/%s", root, path);
    file = fopen(name, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

Test(rooms, the_tree_follows_its_order)
{
    char text[16384];

    cr_expect_eq(check(".", text, sizeof(text)), 0, "%s", text);
    cr_expect(strstr(text, ", 0 that the order does not allow"), "%s", text);
}

/* Three levels; the middle one has two folders, one of which has a subfolder above it. */
Test(rooms, what_breaks_the_order_is_named)
{
    static const char order[] = "# user\n## Order\n```\ntop\nleft/inner right\nleft\nground\n```\n"
                                "## Libraries\n```\npcap/ ground\n```\n";
    static const struct {
        const char *path, *text, *complaint;
    } cases[] = {
        {"user/ground/up.c", "#include \"top/top.h\"\n", "user/ground/up.c:1: ground includes top, which stands above it"},
        {"user/right/beside.c", "\n#include \"left/inner/inner.h\"\n",
         "user/right/beside.c:2: right includes left/inner, which stands beside it"},
        {"user/left/up.c", "#include \"left/inner/inner.h\"\n",
         "user/left/up.c:1: left includes left/inner, which stands above it"},
        {"user/left/foreign.c", "#  include <pcap/pcap.h>\n", "user/left/foreign.c:1: left includes <pcap/pcap.h>, which is "
                                                              "for ground"},
        {"user/cellar/new.c", "\n", "user/cellar/new.c: stands in no room of the order"},
        {"bpf/up.h", "#include \"user/ground/ground.h\"\n", "bpf/up.h:1: bpf/ includes user/ground/ground.h"},
        {"include/up.h", "#include \"bpf/some.h\"\n", "include/up.h:1: include/ includes bpf/some.h"},
    };
    char root[] = "/tmp/qpw-rooms-XXXXXX", text[16384], command[64], path[256];

    cr_assert(mkdtemp(root));
    write_file(root, "user/README.md", order);
    write_file(root, "user/ground/ground.h", "#include <pcap/pcap.h>\n#include <stdio.h>\n");
    write_file(root, "user/top/top.h", "#include \"left/inner/inner.h\"\n#include \"ground/ground.h\"\n");
    write_file(root, "user/left/inner/inner.h", "#include \"left/left.h\"\n");
    write_file(root, "user/left/left.h", "#include \"left.h\"\n#include \"bpf/some.h\"\n");
    write_file(root, "user/right/right.h", "#include \"ground/ground.h\"\n#include \"generated.h\"\n");
    write_file(root, "bpf/some.h", "\n");
    cr_expect_eq(check(root, text, sizeof(text)), 0, "%s", text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file(root, cases[i].path, cases[i].text);
        cr_expect_eq(check(root, text, sizeof(text)), 1, "%s: %s", cases[i].path, text);
        cr_expect(strstr(text, cases[i].complaint), "%s is not in: %s", cases[i].complaint, text);
        snprintf(path, sizeof(path), "%s/%s", root, cases[i].path);
        cr_expect_eq(unlink(path), 0);
    }
    snprintf(command, sizeof(command), "rm -rf %s", root);
    cr_expect_eq(system(command), 0);
}

/* Else the campaign would no longer show that it finds them. */
Test(rooms, the_bugs_put_in_on_purpose_fit_the_sources)
{
    char text[4096];
    FILE *out = popen("for p in tests/campaign/bugs/*.patch; do patch --dry-run -s -F0 -p1 <$p || echo $p; done 2>&1", "r");

    cr_assert(out);
    text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
    cr_expect_eq(pclose(out), 0);
    cr_expect_str_empty(text);
}
