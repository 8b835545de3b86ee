/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF objects, inside the program: one file to install, and no bpftool needed to build. */
    .section .rodata
    .balign 8
    .globl qpw_bpf_object
    .globl qpw_bpf_object_end
qpw_bpf_object:
    .incbin "bpf/qportwatch.bpf.o"
qpw_bpf_object_end:
    .balign 8
    .globl qpw_bench_object
    .globl qpw_bench_object_end
qpw_bench_object:
    .incbin "bpf/bench.bpf.o"
qpw_bench_object_end:
    .globl qpw_builtin_aws
    .globl qpw_builtin_aws_end
qpw_builtin_aws:
    .incbin "user/policy/lang/builtin/aws.policy"
qpw_builtin_aws_end:
    .globl qpw_builtin_azure
    .globl qpw_builtin_azure_end
qpw_builtin_azure:
    .incbin "user/policy/lang/builtin/azure.policy"
qpw_builtin_azure_end:
    .globl qpw_builtin_cnq_gcp
    .globl qpw_builtin_cnq_gcp_end
qpw_builtin_cnq_gcp:
    .incbin "user/policy/lang/builtin/cnq-gcp.policy"
qpw_builtin_cnq_gcp_end:
    .globl qpw_builtin_on_prem
    .globl qpw_builtin_on_prem_end
qpw_builtin_on_prem:
    .incbin "user/policy/lang/builtin/on-prem.policy"
qpw_builtin_on_prem_end:
    .section .note.GNU-stack, "", @progbits
