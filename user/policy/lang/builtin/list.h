/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * list.h - the built-in policies: BUILTIN(symbol, name, guide) for each NAME.policy of this folder, by name. Included
 * several times, by C and by assembler; `guide` is which of the vendor's guides the name stands for.
 */
BUILTIN(aws, aws, "Cloud Native Qumulo on AWS; Cloud Native Qumulo on Azure is documented under this name too")
BUILTIN(azure, azure, "Azure Native Qumulo, the managed service (for Cloud Native on Azure take aws)")
BUILTIN(cnq_gcp, cnq-gcp, "Cloud Native Qumulo on Google Cloud")
BUILTIN(on_prem, on-prem, "Qumulo Core on premises")
