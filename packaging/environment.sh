# Sourced by start and check, which set $root: what this machine lacks, and the virtual environment.

venv=$root/.venv
pins=$root/packaging/constraints.txt

refuse() {
    printf 'warden-desktop: %s\n' "$*" >&2
    exit 2
}

# missing_packages GROUP...: the Debian packages of these groups that are not installed, one a line.
missing_packages() {
    local known group package proof
    # A user's PATH on Debian does not have ldconfig. Where there is none at all, trust that libraries are there.
    known=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null) || known=
    while read -r group package proof; do
        [[ " $* " == *" $group "* ]] || continue
        case $proof in
            *.so.*) [[ -z $known || $known == *$'\t'"$proof "* ]] || echo "$package" ;;
            *) command -v "$proof" >/dev/null || echo "$package" ;;
        esac
    done <"$root/packaging/system-packages"
}

# find_python: the first interpreter that runs, has a version we support and can make virtual environments.
find_python() {
    local python
    for python in python3.11 python3.12 python3.13 python3; do
        if "$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
        then
            echo "$python"
            return
        fi
    done
    return 1
}

# need_system GROUP...: installs what is missing when root; otherwise prints the one line that does, and exits 2.
need_system() {
    local missing
    [[ $OSTYPE == linux* ]] || return 0
    mapfile -t missing < <(missing_packages "$@")
    [[ -x $venv/bin/python ]] || find_python >/dev/null || missing+=(python3-venv)
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || refuse "install what your system calls: ${missing[*]}"
    ((EUID == 0)) || refuse "system packages are missing; run: sudo apt-get install -y ${missing[*]}"
    printf 'Installing system packages: %s\n' "${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null >&2 || true # an old list may still do
    apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >&2 ||
        refuse "apt-get could not install: ${missing[*]}"
}

# need_venv [EXTRA]: .venv holds the application, with EXTRA's packages, in the pinned versions. The stamp is a copy
# of what was asked for, so that a second run compares two texts and is done.
need_venv() {
    local extra=${1:-} stamp wanted
    stamp=$venv/.installed${extra:+-$extra}
    wanted=$root$'\n'$(<"$root/pyproject.toml")$'\n'$(<"$pins")
    if [[ -x $venv/bin/python && -f $stamp && $(<"$stamp") == "$wanted" ]]; then return; fi
    make_venv
    printf 'Installing Python packages into %s; the first time takes a minute or two.\n' "$venv" >&2
    pip_install hatchling
    pip_install --no-build-isolation --editable ".${extra:+[$extra]}"
    # With an extra, the application alone is there too.
    printf '%s\n' "$wanted" | tee "$venv/.installed" >"$stamp"
}

make_venv() {
    local python
    # Commands inside a virtual environment name its place: one that was moved or copied is made again.
    if [[ -x $venv/bin/python ]] && { [[ ! -f $venv/.place ]] || [[ $(<"$venv/.place") == "$root" ]]; }; then return; fi
    python=$(find_python) || refuse "Python 3.11, 3.12 or 3.13 with its venv module is needed"
    "$python" -m venv --clear "$venv"
    printf '%s\n' "$root" >"$venv/.place"
}

pip_install() {
    (cd "$root" && "$venv/bin/python" -m pip -qq --no-input --disable-pip-version-check \
        install --constraint packaging/constraints.txt "$@" </dev/null >&2) ||
        refuse "pip could not install the Python packages; its message is above"
}
