EXTENSION  = activity_metrics
MODULE_big = activity_metrics
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/$(EXTENSION).control)

# Pure C: nothing of the server, so the unit tests and benches link them alone.
PURE_OBJS = \
	src/common/am_host.o \
	src/stats/distributions.o \
	src/stats/multiplicity.o \
	src/stats/rates.o \
	src/stats/correlation.o \
	src/funnel/funnel_spec.o \
	src/funnel/funnel_match.o \
	src/lead_lag/lead_lag.o \
	src/vanity/vanity.o \
	src/vanity/gaming.o

OBJS = $(PURE_OBJS) \
	src/activity_metrics.o

# The install script is made of one file per capability, in order of number.
SQL_PARTS     = $(sort $(wildcard $(srcdir)/sql/[0-9]*_*.sql))
INSTALL_SQL   = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built    = $(INSTALL_SQL)
DATA          = $(patsubst $(srcdir)/%,%,$(filter-out %--$(EXTVERSION).sql,$(wildcard $(srcdir)/sql/$(EXTENSION)--*--*.sql)))
# lazily expanded: $(srcdir) is known only after PGXS is included
HDRS          = $(wildcard $(srcdir)/src/*.h $(srcdir)/src/*/*.h)

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS   = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -ffp-contract=off
# PostgreSQL 18's own headers leave fields out of initialisers
PG_CFLAGS  += -Wno-missing-field-initializers

EXTRA_CLEAN = $(INSTALL_SQL) test/unit/build results regression.diffs regression.out

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS tracks headers only if the server was configured --enable-depend; Debian's is not
$(OBJS) $(OBJS:.o=.bc): $(HDRS)

# Out-of-tree builds. Absolute targets: make would find relative ones through VPATH and skip them
BUILD_DIRS = $(addprefix $(CURDIR)/,$(patsubst %/,%,$(sort $(dir $(OBJS) $(INSTALL_SQL)))))
$(OBJS) $(OBJS:.o=.bc) $(INSTALL_SQL): | $(BUILD_DIRS)
$(BUILD_DIRS):
	$(MKDIR_P) $@

$(INSTALL_SQL): $(SQL_PARTS) $(srcdir)/$(EXTENSION).control
	cat $(SQL_PARTS) > $@

#
# Tests. `make test` runs everything (test/run says how); the pieces, for work on one of them:
#   make unit            the C unit tests, no server needed
#
SHARED ?= ../shared
export SHARED

UNIT_CC      ?= $(CC)
UNIT_CFLAGS  ?= -std=gnu99 -O2 -g -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -ffp-contract=off
UNIT_BUILD    = $(CURDIR)/test/unit/build
UNIT_TESTS    = $(patsubst $(srcdir)/test/unit/%.c,$(UNIT_BUILD)/%,$(wildcard $(srcdir)/test/unit/*_test.c))
PURE_SRCS     = $(wildcard $(addprefix $(srcdir)/,$(PURE_OBJS:.o=.c)))

unit-programs: $(UNIT_TESTS)
$(UNIT_BUILD)/%: $(srcdir)/test/unit/%.c $(PURE_SRCS) $(HDRS) $(wildcard $(srcdir)/test/unit/*.h)
	@$(MKDIR_P) $(UNIT_BUILD)
	$(UNIT_CC) $(UNIT_CFLAGS) -I$(srcdir)/src -I$(srcdir)/test/unit -o $@ $< $(PURE_SRCS) -lm

unit: $(UNIT_TESTS)
	prove --exec '' $(UNIT_TESTS)

.PHONY: unit unit-programs
