# demo    two controllers on one queue, in the terminal, one of them killed; KEEP=1 leaves all running until Ctrl-C
# screenshots   makes the pictures of docs/ anew
# test    all tests; what is missing is installed first
# chaos   breaks a cluster for CHAOS_SECONDS (300), by CHAOS_SEED, and says whether it kept its promises
# chaos-jenkins   the same on three real controllers, smaller; a rolling restart; a wrong clock; changes of configurations, Pipelines and locks, with defects. Skipped where there is no Jenkins
# pipeline-kills   kills the controller of Pipelines in each phase PIPELINE_KILLS (10) times; says what was lost or done twice, and how long they stood
# chaos-agents   agents by TCP and SSH; builds and Pipelines on ten agents of all kinds at three real controllers, which are killed, stalled and moved
# chaos-mutants   sows defects into it and sees that chaos finds each
# upgrade builds the commit FROM (the last release, else the one before), and upgrades three controllers from it to this one under load
# fuzz    looks for bytes that the library or the plugin does not bear, for FUZZ_SECONDS (600) in the plugin and FUZZ_TIMES (50) as many cases in the library
# take-over     measures how long it takes from the kill of a controller until its work runs elsewhere
# hpi     target/ha-jenkins.hpi, the file an admin installs
# release   target/release-files: the .hpi for all platforms, its SHA-256 sum and its part of the changelog, for VERSION
# bench   the measurements of docs/benchmarks.md
# lint    what .ci/run checks before the tests
# fmt     formats all sources
# clean   removes what was built

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := hpi
.PHONY: demo test fuzz chaos chaos-jenkins pipeline-kills chaos-agents chaos-mutants upgrade take-over screenshots hpi release bench fmt lint clean setup library

# Classes and library must come from the same commit; both are told which.
export HA_JENKINS_COMMIT ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
export PATH := $(PATH):$(HOME)/.cargo/bin

# x86_64 or aarch64: by this name the plugin looks for its library.
ARCHITECTURE := $(shell uname -m)

MVN := mvn -B -Dstyle.color=never -Dha.jenkins.commit=$(HA_JENKINS_COMMIT)

setup:
	.ci/setup

# The library, and beside it the one with a door for the tests of the bridge.
library: setup
	cargo build --locked --release --lib --example bridge_door
	rm -rf target/natives
	install -D target/release/libha_jenkins.so target/natives/linux-$(ARCHITECTURE)/libha_jenkins.so

hpi: library
	$(MVN) -q -DskipTests -pl java/shim,testkit/extensions -am package
	ls -l target/ha-jenkins.hpi

release: setup
	.ci/release "$(VERSION)"

demo: library
	$(MVN) -q -DskipTests -pl java/shim,testkit/demo -am package
	java -jar testkit/demo/target/ha-jenkins-demo-*.jar $(if $(KEEP),--keep)

chaos: library
	$(MVN) -q -DskipTests -pl testkit/chaos -am package
	java -jar testkit/chaos/target/ha-jenkins-chaos-*.jar

chaos-jenkins: library
	$(MVN) -q -DskipTests -pl java/shim,testkit/extensions -am package
	export HA_JENKINS_LONG_TESTS=1 CHAOS_SECONDS=$${CHAOS_SECONDS:-300}
	$(MVN) -q -pl tests/java -am -Dtest='RealChaosTest,RollingRestartTest,ClockTest,AdoptionOfThreeTest,HandOverFaultsTest,ManyChangesTest,ConfigurationMutantsTest,PipelineKillsTest,PipelineMutantsTest,LockOptionsTest' -Dsurefire.failIfNoSpecifiedTests=false verify

pipeline-kills: library
	$(MVN) -q -DskipTests -pl java/shim,testkit/extensions -am package
	export HA_JENKINS_LONG_TESTS=1 PIPELINE_KILLS=$${PIPELINE_KILLS:-10}
	$(MVN) -q -pl tests/java -am -Dtest='PipelineKillsTest' -Dsurefire.failIfNoSpecifiedTests=false verify

chaos-agents: library
	$(MVN) -q -DskipTests -pl java/shim,testkit/extensions -am package
	export HA_JENKINS_LONG_TESTS=1
	$(MVN) -q -pl tests/java -am -Dtest='AgentKindsTest,AgentsUnderLoadTest' -Dsurefire.failIfNoSpecifiedTests=false verify

chaos-mutants: library
	$(MVN) -q -DskipTests -pl testkit/chaos -am package
	java -jar testkit/chaos/target/ha-jenkins-chaos-*.jar mutants

upgrade: library
	old=$$(.ci/earlier-hpi "$(FROM)")
	$(MVN) -q -DskipTests -pl java/shim,testkit/extensions -am package
	export HA_JENKINS_LONG_TESTS=1 HA_JENKINS_OLD_HPI="$$old"
	$(MVN) -q -pl tests/java -am -Dtest='UpgradeTest' -Dsurefire.failIfNoSpecifiedTests=false verify

screenshots: hpi
	HA_JENKINS_SCREENSHOTS=$(CURDIR)/target/screenshots $(MVN) -q -pl tests/java -am -Dtest=BrowserTest -Dsurefire.failIfNoSpecifiedTests=false verify
	cp target/screenshots/{cluster,doctor,search}.png docs/images/

take-over: library
	$(MVN) -q -DskipTests -pl testkit/chaos -am package
	java -jar testkit/chaos/target/ha-jenkins-chaos-*.jar take-over

# Failures of the library's are kept in tests/corpus, and tried first from then on.
fuzz: library
	export HA_FUZZ_TIMES=$${FUZZ_TIMES:-50} HA_FUZZ_SECONDS=$${FUZZ_SECONDS:-600}
	cargo test --locked --lib foreign_
	cargo test --locked --test foreign_redis
	$(MVN) -q -DskipTests -pl java/shim,testkit/extensions -am package
	$(MVN) -q -pl tests/java -am -Dtest='ForeignTextTest,PeopleTest#whatever*' -Dsurefire.failIfNoSpecifiedTests=false verify

# Both languages' tests run even if the first have failed, so that one run shows all.
test: library
	mkdir -p target
	find . -path '*/target/surefire-reports' -prune -exec rm -rf {} +
	cargo=0
	cargo test --locked --no-fail-fast 2>&1 | tee target/cargo-test.log || cargo=$$?
	maven=0
	$(MVN) --fail-at-end verify || maven=$$?
	.ci/summary target/cargo-test.log $$cargo $$maven

bench: library
	$(MVN) -q -DskipTests package
	benches/run

fmt:
	cargo fmt
	mvn -q -B spotless:apply

lint: setup
	cargo fmt --check
	$(MVN) -q spotless:check
	cargo clippy --locked --all-targets -- -D warnings
	cargo deny --locked --offline check licenses bans sources

clean:
	cargo clean
	mvn -q -B clean

.ONESHELL:
