/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Community ID against the reference vectors: default, without base64, and with another seed. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <unistd.h>

#include "alert/community_id.h"
#include "util/names.h"

static void compare(const char *path, uint16_t seed, bool hex)
{
    json_t *vectors, *v;
    size_t i;

    if (access(path, R_OK) < 0)
        cr_skip_test("the reference vectors are not there");
    vectors = json_load_file(path, 0, NULL);
    cr_assert(json_array_size(vectors) > 20);
    json_array_foreach(vectors, i, v) {
        struct qpw_community_flow flow = {.protocol = json_integer_value(json_object_get(v, "proto")),
                                          .has_ports = json_is_integer(json_object_get(v, "sport"))};
        char text[QPW_COMMUNITY_ID_LEN];

        cr_assert(qpw_address_parse(json_string_value(json_object_get(v, "saddr")), flow.source) == 0);
        cr_assert(qpw_address_parse(json_string_value(json_object_get(v, "daddr")), flow.destination) == 0);
        flow.source_port = json_integer_value(json_object_get(v, "sport"));
        flow.destination_port = json_integer_value(json_object_get(v, "dport"));
        cr_expect_str_eq(qpw_community_id(&flow, seed, hex, text), json_string_value(json_object_get(v, "communityid")),
                         "vector %zu of %s", i, path);
    }
    json_decref(vectors);
}

Test(community_id, default_vectors)
{
    compare("../shared/schemas/community-id/baseline_deflt.json", 0, false);
}

Test(community_id, hexadecimal_vectors)
{
    compare("../shared/schemas/community-id/baseline_nob64.json", 0, true);
}

Test(community_id, seeded_vectors)
{
    compare("../shared/schemas/community-id/baseline_seed1.json", 1, false);
}
