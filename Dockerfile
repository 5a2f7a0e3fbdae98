# Greylag with everything it needs at run time: `docker build -t greylag .`
# The first stage installs from the lock; the second has no compiler, no pip cache and no sources.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/image.lock requirements/image.lock
RUN python3 -m venv /opt/greylag \
    && /opt/greylag/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
       --require-hashes --only-binary :all: --requirement requirements/image.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/greylag/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps .

FROM python:3.11-slim-bookworm
# git: the forges' transport; bubblewrap: where agents and the commands of repositories run; ssh-keygen, gpg: signed commits.
# A rebuild is to get the distribution's security updates: no versions are pinned here.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap git gpg openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /var/lib/greylag greylag
COPY --from=build /opt/greylag /opt/greylag
ENV PATH=/opt/greylag/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
# greylag.yaml, the mirrors and, without PostgreSQL, the database.
WORKDIR /var/lib/greylag
ENTRYPOINT ["greylag"]
CMD ["--help"]
