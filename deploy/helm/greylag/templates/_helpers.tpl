{{- define "greylag.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "greylag.labels" -}}
app.kubernetes.io/name: greylag
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "greylag.selector" -}}
app.kubernetes.io/name: greylag
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "greylag.claim" -}}
{{- .Values.mirrors.existingClaim | default (printf "%s-mirrors" (include "greylag.name" .)) -}}
{{- end }}

{{- /* What all pods have in common; takes (dict "root" $ "sandbox" bool). */}}
{{- define "greylag.pod" -}}
automountServiceAccountToken: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: {{ ternary "Unconfined" "RuntimeDefault" .sandbox }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: config
    configMap:
      name: {{ include "greylag.name" .root }}
  - name: mirrors
    persistentVolumeClaim:
      claimName: {{ include "greylag.claim" .root }}
  - name: tmp
    emptyDir: {}
{{- end }}

{{- define "greylag.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: GREYLAG_CONFIG
    value: /etc/greylag/greylag.yaml
  - name: GREYLAG_FLEET
    value: /var/lib/greylag/mirrors
  - name: GREYLAG_DATABASE
    value: {{ .Values.database | quote }}
envFrom:
  - secretRef:
      name: {{ .Values.secret }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: config
    mountPath: /etc/greylag
    readOnly: true
  - name: mirrors
    mountPath: /var/lib/greylag
  - name: tmp
    mountPath: /tmp
{{- end }}
