# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# make               build build/qportwatch
# make run           install what is missing, build, audit this machine's default interface (IFACE=… for another)
# make demo          show it on staged traffic in network namespaces of its own
# make test          install what is missing, build, run the tests, on the oldest and the newest kernel too
# make test-all      the same, with the kernels between, more rounds, and random seeds
# make check         run the unit tests only; needs no root
# make campaign      random exchanges and faults against known truth (MINUTES=10 SEED=drawn MODE=xdp|tc|clsact)
# make campaign-bugs   show that it finds the bugs of tests/campaign/bugs, each within ten minutes
# make fuzz          fuzz everything that reads what others wrote, FUZZ_SECONDS each (60)
# make lint          clang-tidy over every C file (LINT="user/x.c …" for some), and the order of the rooms
# make format        lay out the lines that differ from HEAD as .clang-format says
# make coverage      which lines the unit tests run, as build/coverage/index.html
# make compile_commands.json   write the compilation database for editors and clang-tidy
# make install       install below DESTDIR/PREFIX (/usr/local); make uninstall removes it
# make deb           build build/qportwatch_VERSION_ARCH.deb
# make dist          build build/qportwatch-VERSION.tar.gz, of which rpmbuild -ta makes an rpm
# make clean         delete the build folder
# Variables: V=1 shows the commands, O=DIR builds elsewhere, TESTS="net/test_x bpf/" limits make test to paths that
# contain one of these words, BPF_CLANG=clang-14 compiles the BPF object.

O ?= build
CC = gcc
CLANG ?= clang
# For the BPF object: the newest that is there, whose code costs less; 14 is the oldest that is tried
BPF_CLANG ?= $(firstword $(foreach v,19 18 17 16 15 14,$(if $(shell command -v clang-$(v)),clang-$(v))) $(CLANG))
PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
APPARMOR_FOLDER ?= $(SYSCONFDIR)/apparmor.d
ZSH_FOLDER ?= $(PREFIX)/share/zsh/site-functions
VERSION := $(shell sed -n 's/.*QPW_VERSION "\(.*\)"/\1/p' user/util/version.h)
V ?= 0
Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' '$(1)' '$(2)';)

BUILD_PACKAGES = gcc make clang llvm pkg-config libc6-dev libbpf-dev libelf-dev zlib1g-dev libjansson-dev \
	libxml2-dev libpcap-dev libncurses-dev libmnl-dev libsqlite3-dev libcap-ng-dev libseccomp-dev nettle-dev libsmartcols-dev \
	libcurl4-gnutls-dev libmicrohttpd-dev libgnutls28-dev
RUN_PACKAGES = iproute2
DEMO_PACKAGES = $(RUN_PACKAGES) netcat-openbsd socat nginx-light ncat nmap dnsmasq-base nftables iputils-ping procps
TEST_PACKAGES = $(DEMO_PACKAGES) strace patch libcriterion-dev lld libclang-rt-dev bpftool tcpdump tshark iperf3 python3 python3-jsonschema \
	python3-scapy ethtool nftables rpcbind rsyslog tmux util-linux jq chrony tcpreplay man-db nmap libxml2-utils systemd qemu-system-x86 busybox-static cpio kmod xz-utils \
	samba openssh-server vsftpd slapd openssl curl
PACKAGE_PACKAGES = debhelper dh-apparmor dpkg-dev fakeroot lintian
PACKAGE_TEST_PACKAGES = $(PACKAGE_PACKAGES) mmdebstrap systemd apparmor rpm zsh
PAGE_TEST_PACKAGES = chromium poppler-utils
MONITORING_PACKAGES = prometheus prometheus-alertmanager curl
SERVER_PACKAGES = smbclient ldap-utils krb5-kdc krb5-admin-server krb5-user nfs-ganesha nfs-ganesha-mem libnfs-utils bind9-dnsutils curl
LINT_PACKAGES = clang-tidy clang-format gcovr git

ARCH := $(shell uname -m)
CPPFLAGS = -D_GNU_SOURCE -I. -Iinclude -Iuser -I/usr/include/libxml2 -I/usr/include/libsmartcols
CFLAGS = -std=gnu17 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wformat=2 -Wno-format-nonliteral $(EXTRA_CFLAGS)
LDFLAGS = $(EXTRA_LDFLAGS)
LDLIBS = -lbpf -lelf -lz -ljansson -lxml2 -lpcap -lncursesw -ltinfo -lpanelw -lmnl -lsqlite3 -lcap-ng -lseccomp -lnettle -lsmartcols -lm -lpthread
# lld: it takes 40 % of the time, and there are some hundred test programs
SERVE_LDLIBS = -lcurl -lmicrohttpd -lgnutls
TEST_LDLIBS = $(LDLIBS) $(SERVE_LDLIBS) -lcriterion -fuse-ld=lld
# Tests are compiled once and run once: without optimization, a third of the time
TEST_CFLAGS = $(CFLAGS) -O0
# -Og: half the time of -O2 to compile, and better traces
SANITIZE = -Og -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
BPF_CFLAGS = -target bpf -std=gnu17 -O2 -g -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	-D__TARGET_ARCH_x86 -I. -Iinclude -I/usr/include/$(ARCH)-linux-gnu $(EXTRA_BPF_CFLAGS)

# What meets other hosts is no part of the privileged program, which does not even load its libraries
SERVE_SOURCES := $(wildcard user/serve/*.c)
SERVE_OBJECTS := $(SERVE_SOURCES:%.c=$(O)/%.o)
SOURCES := $(filter-out user/main.c user/serve_main.c $(SERVE_SOURCES),$(wildcard user/*.c user/*/*.c user/*/*/*.c))
OBJECTS := $(SOURCES:%.c=$(O)/%.o) $(O)/user/embed.o
SAN_OBJECTS := $(SOURCES:%.c=$(O)/san/%.o) $(SERVE_SOURCES:%.c=$(O)/san/%.o) $(O)/san/user/embed.o
EMBEDDED := $(wildcard user/policy/lang/builtin/*) user/report/page.css user/report/page.js user/evidence/recount.sh

TEST_LIB := $(wildcard tests/lib/*.c)
UNIT_TESTS := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))
ROOT_TESTS := $(patsubst %.c,$(O)/%,$(wildcard tests/bpf/test_*.c tests/net/test_*.c tests/all/test_*.c))
CAMPAIGN := $(O)/tests/campaign/test_campaign
CAMPAIGN_OBJECTS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/campaign/*.c))

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all deb dist source-tree deps-package deps-test-all run demo test test-all test-binaries deps-build deps-run deps-demo deps-test install uninstall clean fuzz campaign campaign-bugs help check unit-tests lint format coverage compile_commands.json deps-lint

all: $(O)/qportwatch $(O)/qportwatch-serve

help:
	@sed -n 's/^# \(make \|Variables\|contain\)/\1/p' Makefile

# ---- What is missing is installed with apt, no service of it started; what is there is left alone. ----
install_missing = missing=; for p in $(1); do \
	dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null || \
	{ echo "make: could not install$$missing; install them by hand and try again" >&2; exit 1; }; fi

deps-build:
	@$(call install_missing,$(BUILD_PACKAGES))
deps-run:
	@$(call install_missing,$(BUILD_PACKAGES) $(RUN_PACKAGES))
deps-demo:
	@$(call install_missing,$(BUILD_PACKAGES) $(DEMO_PACKAGES))
deps-lint:
	@$(call install_missing,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES))
deps-test:
	@$(call install_missing,$(BUILD_PACKAGES) $(TEST_PACKAGES))

# ---- BPF object and built-in policies, embedded into the program ----
# Once more for kernels before 5.13 (user/instance/embedded.h). BTF is kept, what only a debugger reads is not
$(O)/bpf/qportwatch.bpf.o $(O)/bpf/qportwatch-old.bpf.o: bpf/qportwatch.bpf.c $(wildcard bpf/*.h) $(wildcard include/*.h) Makefile
	@mkdir -p $(@D)
	$(call say,CLANG,$@)$(BPF_CLANG) $(BPF_CFLAGS) $(if $(findstring -old,$@),-DQPW_OLD_VERIFIER) -c $< -o $@ && llvm-strip -g $@

$(O)/bpf/bench.bpf.o: bpf/bench.bpf.c bpf/bench_flows.h $(wildcard include/*.h) Makefile
	@mkdir -p $(@D)
	$(call say,CLANG,$@)$(BPF_CLANG) $(BPF_CFLAGS) -c $< -o $@

$(O)/user/embed.o $(O)/san/user/embed.o: user/embed.S $(O)/bpf/qportwatch.bpf.o $(O)/bpf/qportwatch-old.bpf.o $(O)/bpf/bench.bpf.o $(EMBEDDED) Makefile
	@mkdir -p $(@D)
	$(call say,AS,$@)$(CC) -I. -I$(O) -c $< -o $@

$(O)/user/%.o: user/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
$(O)/san/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

$(O)/qportwatch: $(O)/user/main.o $(OBJECTS)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# An archive and --as-needed: it takes what it calls of the other program, and loads no other libraries
$(O)/user/user.a: $(OBJECTS)
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $^
$(O)/qportwatch-serve: $(O)/user/serve_main.o $(SERVE_OBJECTS) $(O)/user/user.a
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--as-needed $^ $(LDLIBS) $(SERVE_LDLIBS) -o $@

# ---- Tests: unit tests natively with sanitizers, bpf and net tests as root against the normal objects ----
$(O)/san/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) -Itests/lib -DQPW_BUILD='"$(abspath $(O))"' $(TEST_CFLAGS) $(SANITIZE) -O0 -MMD -MP -c $< -o $@
$(O)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) -Itests/lib -DQPW_BUILD='"$(abspath $(O))"' $(TEST_CFLAGS) -MMD -MP -c $< -o $@
$(UNIT_TESTS): $(O)/tests/%: $(O)/san/tests/%.o $(SAN_OBJECTS) $(TEST_LIB:%.c=$(O)/san/%.o)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(SANITIZE) $^ $(TEST_LDLIBS) -o $@
$(O)/tests/unit/test_waits: $(O)/san/tests/campaign/waits.o
$(ROOT_TESTS): $(O)/tests/%: $(O)/tests/%.o $(OBJECTS) $(SERVE_OBJECTS) $(TEST_LIB:%.c=$(O)/%.o)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(filter %.o,$^) $(TEST_LDLIBS) -o $@

# The verifier's figures; by itself, since other kernels run it, too
$(O)/tests/vm/verifier: $(O)/tests/vm/verifier.o $(OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) -Wl,--wrap=bpf_object__load $(filter %.o,$^) $(LDLIBS) -o $@

# Processes that live as shortly as they can, on other kernels
$(O)/tests/vm/owners: tests/vm/owners.c Makefile
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CPPFLAGS) $(CFLAGS) $< -o $@

# Kernels of other Debian suites for the tests that boot them; where one cannot be fetched its test is skipped, and
# the reason stands beside it.
$(O)/vm/%:
	@tests/vm/fetch $(O)/vm $* || :

test-binaries: all $(UNIT_TESTS) $(ROOT_TESTS) $(CAMPAIGN) $(O)/tests/vm/verifier $(O)/tests/vm/owners
unit-tests: $(UNIT_TESTS)
check:
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) unit-tests
	@tests/run $(O) /unit/
KERNELS = bullseye sid
MORE_KERNELS = bookworm trixie
test: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) $(KERNELS:%=$(O)/vm/%) test-binaries
	@tests/run $(O) $(TESTS)
deps-test-all: deps-test
	@$(call install_missing,$(BUILD_PACKAGES) $(PACKAGE_TEST_PACKAGES) $(PAGE_TEST_PACKAGES) $(MONITORING_PACKAGES) $(SERVER_PACKAGES))
test-all: deps-test-all
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) $(KERNELS:%=$(O)/vm/%) $(MORE_KERNELS:%=$(O)/vm/%) test-binaries
	@tests/run --all $(O) $(TESTS)

# ---- The campaign: MINUTES long, from a seed that is drawn unless given; of all modes unless one is given ----
MINUTES ?= 10
SEED ?= random
MODE ?=
$(CAMPAIGN): $(CAMPAIGN_OBJECTS) $(OBJECTS) $(TEST_LIB:%.c=$(O)/%.o)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(filter %.o,$^) $(TEST_LDLIBS) -o $@
-include $(CAMPAIGN_OBJECTS:.o=.d)
campaign: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) all $(CAMPAIGN)
	@CAMPAIGN_SECONDS=$$(($(MINUTES) * 60)) CAMPAIGN_SEED=$(SEED) CAMPAIGN_MODE=$(MODE) $(CAMPAIGN) -j1

campaign-bugs: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) all $(CAMPAIGN)
	@CC="$(CC)" tests/campaign/bugs/find $(O)

# ---- Fuzzing: every fuzzer FUZZ_SECONDS long over its corpus; what breaks it is left beside build's binaries ----
FUZZERS := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
# Of serve, what reads others' bytes without a library of its own
FUZZ_SOURCES = $(SOURCES) user/serve/heard.c user/serve/outbox.c
FUZZ_SECONDS ?= 60
FUZZ_FLAGS = -std=gnu17 -O1 -g -Wall -Wno-unknown-warning-option -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
$(O)/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)$(CLANG) $(CPPFLAGS) -Itests/fuzz $(FUZZ_FLAGS) -MMD -MP -c $< -o $@
-include $(FUZZ_SOURCES:%.c=$(O)/fuzz/%.d) $(patsubst %.c,$(O)/fuzz/%.d,$(wildcard tests/fuzz/fuzz_*.c))
# An archive: each fuzzer takes out of it what it calls
$(O)/fuzz/user.a: $(FUZZ_SOURCES:%.c=$(O)/fuzz/%.o) $(O)/user/embed.o
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $^
$(FUZZERS): $(O)/fuzz/fuzz_%: $(O)/fuzz/tests/fuzz/fuzz_%.o $(O)/fuzz/user.a
	$(call say,LD,$@)$(CLANG) $(FUZZ_FLAGS) $^ $(LDLIBS) -o $@
.SECONDARY: $(FUZZ_SOURCES:%.c=$(O)/fuzz/%.o)
fuzz: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) $(FUZZERS)
	@for f in $(FUZZERS); do name=$${f##*/fuzz_}; mkdir -p $(O)/fuzz/corpus/$$name; echo "fuzz $$name"; \
	$$f -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=1024 -max_len=16384 -artifact_prefix=$(O)/fuzz/$$name- \
		-verbosity=0 -print_final_stats=1 $(O)/fuzz/corpus/$$name tests/fuzz/corpus/$$name || exit 1; done

# ---- For developers ----
# Each file by itself, so that one mistake does not hide the next
LINT = $(SOURCES) $(SERVE_SOURCES) user/main.c user/serve_main.c $(wildcard bpf/*.c tests/*/*.c)
lint: deps-lint $(O)/bpf/qportwatch.bpf.o compile_commands.json
	@tests/rooms
	@printf '%s\n' $(LINT) | xargs -P$$(nproc) -n 1 clang-tidy -p . --quiet 2>/dev/null || \
		{ echo "make: lint: see the lines above" >&2; exit 1; }
format: deps-lint
	@git clang-format --force --style=file HEAD || [ $$? -eq 1 ] # newer ones say so where they have changed a file
coverage: deps-lint
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O)/coverage CFLAGS='$(CFLAGS) --coverage' SANITIZE=-O0 \
		$(UNIT_TESTS:$(O)/%=$(O)/coverage/%)
	@tests/run $(O)/coverage /unit/
	@gcovr -r . --object-directory $(O)/coverage --filter user/ --filter bpf/ --html-details $(O)/coverage/index.html --print-summary
# From what make would run, one entry per C source; the BPF objects' are clang's.
compile_commands.json:
	@$(call install_missing,jq)
	@$(MAKE) --no-print-directory -Bn V=1 O=$(O) test-binaries $(FUZZERS) | tests/compile_commands >$@

# ---- For people ----
run: deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) all
	@iface="$(IFACE)"; [ -n "$$iface" ] || iface=$$(ip -o route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1); \
	[ -n "$$iface" ] || iface=$$(ip -o -6 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1); \
	[ -n "$$iface" ] || { echo "make run: no default route; name the interface: make run IFACE=eth0" >&2; exit 1; }; \
	exec $(O)/qportwatch attach "$$iface" $(ARGS)

demo: deps-demo
	@$(MAKE) --no-print-directory -j$$(nproc) O=$(O) all
	@tests/demo/demo $(O)/qportwatch

# FILE:FOLDER:NAME:MODE of what is installed beside the program
INSTALLED = $(O)/qportwatch:$(PREFIX)/sbin:qportwatch:0755 $(O)/qportwatch-serve:$(PREFIX)/sbin:qportwatch-serve:0755 \
	$(foreach m,$(wildcard user/dist/man/*.[1-9]),$(m):$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(m))):$(notdir $(m)):0644) \
	user/dist/systemd/qportwatch.service.in:$(PREFIX)/lib/systemd/system:qportwatch.service:0644 \
	user/dist/systemd/qportwatch-serve.service.in:$(PREFIX)/lib/systemd/system:qportwatch-serve.service:0644 \
	user/dist/systemd/qportwatch-serve@.socket:$(PREFIX)/lib/systemd/system:qportwatch-serve@.socket:0644 \
	user/dist/tmpfiles/qportwatch.conf:$(PREFIX)/lib/tmpfiles.d:qportwatch.conf:0644 \
	user/dist/sysusers/qportwatch.conf:$(PREFIX)/lib/sysusers.d:qportwatch.conf:0644 \
	user/dist/completion/qportwatch.bash:$(PREFIX)/share/bash-completion/completions:qportwatch:0644 \
	user/dist/completion/_qportwatch:$(ZSH_FOLDER):_qportwatch:0644 \
	user/dist/etc/policy.sample:$(PREFIX)/share/doc/qportwatch/examples:policy:0644 \
	$(foreach f,$(wildcard user/dist/schemas/*),$(f):$(PREFIX)/share/doc/qportwatch/schemas:$(notdir $(f)):0644) \
	$(foreach f,$(wildcard user/dist/prometheus/* user/dist/grafana/*),$(f):$(PREFIX)/share/doc/qportwatch/examples/$(notdir $(patsubst %/,%,$(dir $(f)))):$(notdir $(f)):0644) \
	$(O)/dist/qportwatch.spdx.json:$(PREFIX)/share/doc/qportwatch:qportwatch.spdx.json:0644 \
	user/dist/logrotate/qportwatch:$(SYSCONFDIR)/logrotate.d:qportwatch:0644 \
	$(if $(APPARMOR_FOLDER),$(foreach p,qportwatch qportwatch-serve,user/dist/apparmor/$(p):$(APPARMOR_FOLDER):$(p):0644))
# Written by the administrator: neither replaced nor removed
CONFIGURED = user/dist/etc/qportwatch.conf:$(SYSCONFDIR)/qportwatch:qportwatch.conf:0644
part = $(word $(2),$(subst :, ,$(1)))
target = $(DESTDIR)$(call part,$(1),2)/$(call part,$(1),3)

$(O)/dist/qportwatch.spdx.json: user/dist/sbom user/util/version.h Makefile
	@mkdir -p $(@D)
	@user/dist/sbom $(VERSION) >$@.$$$$ && mv $@.$$$$ $@

define install_one
	install -D -m $(call part,$(1),4) $(call part,$(1),1) $(call target,$(1))

endef
define install_unless_there
	[ -e $(call target,$(1)) ] || install -D -m $(call part,$(1),4) $(call part,$(1),1) $(call target,$(1))

endef
define uninstall_one
	rm -f $(call target,$(1))

endef
install: all $(O)/dist/qportwatch.spdx.json
	$(foreach f,$(INSTALLED),$(call install_one,$(f)))
	$(foreach f,$(CONFIGURED),$(call install_unless_there,$(f)))
	install -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/qportwatch/conf.d
	sed -i 's|@sbindir@|$(PREFIX)/sbin|' $(DESTDIR)$(PREFIX)/lib/systemd/system/qportwatch.service $(DESTDIR)$(PREFIX)/lib/systemd/system/qportwatch-serve.service

uninstall:
	$(foreach f,$(INSTALLED),$(call uninstall_one,$(f)))

# ---- Packages: from a copy of the sources below build/, so that two builds give the same bytes ----
SOURCE_FOLDERS = bpf user include tests Makefile README.md LICENSE .ci .clang-format .clang-tidy .editorconfig .gitignore
SOURCE_TREE = $(O)/package/qportwatch-$(VERSION)
source-tree:
	@rm -rf $(O)/package
	@mkdir -p $(SOURCE_TREE)
	@cp -a --reflink=auto $(SOURCE_FOLDERS) $(SOURCE_TREE)

# Who publishes a package puts an address of theirs into debian/control and debian/changelog.
ADDRESS_TAGS = bogus-mail-host,bogus-mail-host-in-debian-changelog,mail-address-loops-or-bounces
deps-package:
	@$(call install_missing,$(BUILD_PACKAGES) $(PACKAGE_PACKAGES))
deb: deps-package source-tree
	@cp -a user/dist/debian $(SOURCE_TREE)/debian
	@cd $(SOURCE_TREE) && DEB_BUILD_OPTIONS="parallel=$$(nproc) $(DEB_BUILD_OPTIONS)" dpkg-buildpackage -us -uc -b $(if $(filter 1,$(V)),,>../deb.log 2>&1) || \
		{ [ ! -e ../deb.log ] || tail -n 30 ../deb.log >&2; exit 1; }
	@cp -p $(O)/package/qportwatch_$(VERSION)_*.deb $(O)/
	@cd $(O)/package && lintian --fail-on=error,warning --suppress-tags $(ADDRESS_TAGS) --tag-display-limit 0 --allow-root qportwatch_$(VERSION)_*.changes
	@ls $(O)/qportwatch_$(VERSION)_*.deb

dist: source-tree
	@tar -C $(O)/package --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$${SOURCE_DATE_EPOCH:-0} -cf - qportwatch-$(VERSION) | \
		gzip -n >$(O)/qportwatch-$(VERSION).tar.gz
	@ls $(O)/qportwatch-$(VERSION).tar.gz

clean:
	rm -rf $(O)

-include $(OBJECTS:.o=.d) $(SERVE_OBJECTS:.o=.d) $(SAN_OBJECTS:.o=.d) $(O)/user/main.d $(O)/user/serve_main.d
-include $(O)/tests/vm/verifier.d $(TEST_LIB:%.c=$(O)/%.d) $(TEST_LIB:%.c=$(O)/san/%.d) $(patsubst $(O)/%,$(O)/%.d,$(ROOT_TESTS)) $(patsubst $(O)/tests/%,$(O)/san/tests/%.d,$(UNIT_TESTS))
