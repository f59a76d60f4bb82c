EXTENSION  = activity_metrics
MODULE_big = activity_metrics
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/$(EXTENSION).control)

# Pure C: nothing of the server, so the unit tests and benches link them alone.
PURE_OBJS = \
	src/common/am_host.o \
	src/common/sort.o \
	src/stats/distributions.o \
	src/stats/autoregression.o \
	src/stats/least_squares.o \
	src/stats/multiplicity.o \
	src/stats/series.o \
	src/stats/exact_sum.o \
	src/stats/binomial.o \
	src/stats/rates.o \
	src/stats/survival.o \
	src/stats/moments.o \
	src/stats/ranks.o \
	src/stats/kendall.o \
	src/stats/correlation.o \
	src/stats/lag_correlation.o \
	src/stats/granger.o \
	src/stats/distributed_lag.o \
	src/stats/dose_response.o \
	src/stats/two_way_poisson.o \
	src/panel/period_slots.o \
	src/funnel/funnel_spec.o \
	src/funnel/funnel_explain.o \
	src/funnel/funnel_match.o \
	src/funnel/funnel_group.o \
	src/funnel/funnel_plain.o \
	src/funnel/funnel_rules.o \
	src/funnel/funnel_chain.o \
	src/funnel/funnel_any_order.o \
	src/funnel/window_funnel.o \
	src/lead_lag/lead_lag.o \
	src/lead_lag/lead_lag_columns.o \
	src/lead_lag/lead_lag_sums.o \
	src/lead_lag/lead_lag_forecast.o \
	src/lead_lag/lead_lag_prepare.o \
	src/lead_lag/lead_lag_words.o \
	src/lead_lag/panel_dose.o \
	src/lead_lag/panel_granger.o \
	src/vanity/vanity.o \
	src/vanity/vanity_fit.o \
	src/vanity/vanity_posterior.o \
	src/vanity/vanity_words.o \
	src/vanity/gaming.o \
	src/vanity/gaming_scan.o \
	src/vanity/proof_of_work.o \
	src/panel/panel_weigh.o \
	src/warning/cusum.o \
	src/warning/run_length.o \
	src/diagnosis/shapley.o \
	src/cadence/cadence.o

OBJS = $(PURE_OBJS) \
	src/activity_metrics.o \
	src/common/exact_agg.o \
	src/common/memory.o \
	src/common/names.o \
	src/common/options.o \
	src/common/rates_sql.o \
	src/common/state_io.o \
	src/correlation/correlation_agg.o \
	src/correlation/pair_bag.o \
	src/correlation/pair_sort.o \
	src/events/event_exchange.o \
	src/events/event_file.o \
	src/events/event_log.o \
	src/events/event_read.o \
	src/events/event_share.o \
	src/events/query_plan.o \
	src/events/query_scan.o \
	src/events/stage_kind.o \
	src/events/status.o \
	src/events/table_scan.o \
	src/events/stamps.o \
	src/events/time_log.o \
	src/funnel/funnel_agg.o \
	src/funnel/funnel_attempt.o \
	src/funnel/funnel_attempts_agg.o \
	src/funnel/funnel_entity_agg.o \
	src/funnel/window_funnel_agg.o \
	src/funnel/funnel_parallel.o \
	src/funnel/funnel_plan.o \
	src/funnel/funnel_rows.o \
	src/funnel/funnel_scan.o \
	src/funnel/funnel_source.o \
	src/funnel/funnel_state.o \
	src/funnel/funnel_tally.o \
	src/lead_lag/lead_lag_agg.o \
	src/lead_lag/panel_dose_agg.o \
	src/lead_lag/panel_granger_agg.o \
	src/panel/event_panel.o \
	src/panel/event_panel_agg.o \
	src/panel/event_panel_scan.o \
	src/panel/panel_agg.o \
	src/panel/panel_state.o \
	src/panel/period.o \
	src/refresh/oldest_transaction.o \
	src/series/regression_sql.o \
	src/series/series_arguments.o \
	src/series/series_sql.o \
	src/vanity/target_agg.o \
	src/vanity/vanity_agg.o \
	src/warning/cusum_agg.o \
	src/diagnosis/shapley_sql.o \
	src/cadence/cadence_sql.o

# The install script is made of one file per capability, in order of number.
SQL_PARTS     = $(sort $(wildcard $(srcdir)/sql/[0-9]*_*.sql))
INSTALL_SQL   = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built    = $(INSTALL_SQL)
DATA          = $(patsubst $(srcdir)/%,%,$(filter-out %--$(EXTVERSION).sql,$(wildcard $(srcdir)/sql/$(EXTENSION)--*--*.sql)))
# lazily expanded: $(srcdir) is known only after PGXS is included
HDRS          = $(wildcard $(srcdir)/src/*.h $(srcdir)/src/*/*.h)

# the version that the library was built as, which doctor() compares with that of the SQL
PG_CPPFLAGS = -I$(srcdir)/src -DAM_VERSION='"$(EXTVERSION)"'
PG_CFLAGS   = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -ffp-contract=off
# PostgreSQL 18's own headers leave fields out of initialisers
# clang does not know all flags and attributes of a server built with gcc
PG_CFLAGS  += -Wno-missing-field-initializers -Wno-ignored-attributes -Wno-ignored-optimization-argument -Wno-unknown-warning-option

EXTRA_CLEAN = $(INSTALL_SQL) test/unit/build results regression.diffs regression.out

REGRESS        = $(patsubst $(srcdir)/test/sql/%.sql,%,$(wildcard $(srcdir)/test/sql/*.sql))
REGRESS_OPTS   = --inputdir=$(srcdir)/test --load-extension=$(EXTENSION)
REGRESS_PREP   = $(CURDIR)/expected
ISOLATION      = $(patsubst $(srcdir)/test/specs/%.spec,%,$(wildcard $(srcdir)/test/specs/*.spec))
ISOLATION_OPTS = --inputdir=$(srcdir)/test --outputdir=. --load-extension=$(EXTENSION)

PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
else
# no server to build for yet: `make test` and `make demo` install one
srcdir  = $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))
MKDIR_P = mkdir -p
all install installcheck:
	@echo "PG_CONFIG ($(PG_CONFIG)) leads to no PostgreSQL to build for; test/install_needs installs one" >&2; exit 1
endif

# PGXS tracks headers only if the server was configured --enable-depend; Debian's is not
$(OBJS) $(OBJS:.o=.bc): $(HDRS)
src/activity_metrics.o src/activity_metrics.bc: $(srcdir)/$(EXTENSION).control

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
#   make installcheck    pg_regress and isolation; the extension is installed, PGHOST leads to a server
#   make prove           pgTAP; PG_PROVE_FLAGS='-d DATABASE', which has the extension and pgtap
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

# pg_regress looks for outputs where it runs; inert in the source tree, never to be cleaned
$(CURDIR)/expected:
	ln -s $(abspath $(srcdir))/expected $@

PG_PROVE ?= pg_prove
prove:
	$(PG_PROVE) --ext .sql --recurse $(PG_PROVE_FLAGS) $(srcdir)/test/pgtap

test:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/test/run

# three times: plain; little memory and forced parallel plans; assertions and sanitisers
test-all:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/test/run all

demo:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/demo/run

demo-clean:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/demo/run clean

# funnel() against the floor of any grouping, on a throwaway server; ROWS and RUNS change the size
bench:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/bench/funnel

# panels and lead_lag() against plain SQL, likewise
bench-lead-lag:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/bench/lead_lag

# funnel_report() over the views of a preset against a flat table, likewise; TASKS and RUNS change the size
bench-presets:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/bench/presets

# vanity() on 200 reps x 156 weeks against the GROUP BY over the million events behind them, likewise
bench-vanity-speed:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/bench/vanity_speed

# refresh() after 1,000 new events against a full one, likewise
bench-refresh:
	@PG_CONFIG='$(PG_CONFIG)' $(abspath $(srcdir))/bench/refresh

# vanity() on simulated teams beside the bars, on the labelled worlds (also beside lead_lag()), graded;
# VANITY_ARGS='200 7 harsh' for more worlds of each family and size, a seed, other ranges; needs Debian's python3-numpy, so its own python3 comes first
PYTHON3 ?= $(firstword $(wildcard /usr/bin/python3) python3)
VANITY_ARGS ?= 40
bench-vanity:
	@$(MKDIR_P) $(UNIT_BUILD)
	@$(UNIT_CC) $(UNIT_CFLAGS) -I$(srcdir)/src -o $(UNIT_BUILD)/vanity_sim $(srcdir)/bench/vanity_sim.c $(PURE_SRCS) -lm
	@$(UNIT_BUILD)/vanity_sim $(VANITY_ARGS)
	@$(UNIT_CC) $(UNIT_CFLAGS) -I$(srcdir)/src -o $(UNIT_BUILD)/vanity_worlds $(srcdir)/bench/vanity_worlds.c $(PURE_SRCS) -lm
	@$(UNIT_BUILD)/vanity_worlds $(SHARED)/vanity_worlds agree
	@$(UNIT_BUILD)/vanity_worlds $(SHARED)/vanity_worlds > $(UNIT_BUILD)/predictions.csv
	@$(PYTHON3) $(SHARED)/vanity_worlds/grade.py $(SHARED)/vanity_worlds/labels.json $(UNIT_BUILD)/predictions.csv --bars

# lead_lag() on simulated panels: how often it is wrong, and how often it finds a lead; SIZE_ARGS='400 10 52 sparse'
# for fewer replications, one number of reps, of weeks, one family
SIZE_ARGS ?= 4000
bench-lead-lag-size:
	@$(MKDIR_P) $(UNIT_BUILD)
	@$(UNIT_CC) $(UNIT_CFLAGS) -I$(srcdir)/src -o $(UNIT_BUILD)/lead_lag_size $(srcdir)/bench/lead_lag_size.c $(PURE_SRCS) -lm
	@$(UNIT_BUILD)/lead_lag_size $(SIZE_ARGS)

# run lengths of activity_cusum() by simulation, beside exact ones and docs/early_warning.md; WARNING_ARGS=1000 for fewer runs
WARNING_ARGS ?= 4000
bench-early-warning:
	@$(MKDIR_P) $(UNIT_BUILD)
	@$(UNIT_CC) $(UNIT_CFLAGS) -I$(srcdir)/src -o $(UNIT_BUILD)/early_warning $(srcdir)/bench/early_warning.c $(PURE_SRCS) -lm
	@$(UNIT_BUILD)/early_warning $(WARNING_ARGS)

# a zip for PGXN: what git has, and the install script, which git has not
dist: $(INSTALL_SQL)
	git archive --format=zip --prefix=$(EXTENSION)-$(EXTVERSION)/sql/ --add-file=$(INSTALL_SQL) \
		--prefix=$(EXTENSION)-$(EXTVERSION)/ -o $(EXTENSION)-$(EXTVERSION).zip HEAD

.PHONY: dist unit unit-programs prove test test-all demo demo-clean bench bench-lead-lag bench-lead-lag-size bench-presets bench-refresh bench-vanity bench-vanity-speed bench-early-warning
